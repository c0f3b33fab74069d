"""Counters that several processes share in Redis, and what each of them does while Redis is away.

Every process counts its own calls as well. That refuses without Redis what is beyond the limit here already, and it is
what remains when Redis does not answer: then each process keeps to its share of the limits.
"""

from dataclasses import replace

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.charging.limits.local_counters import KEPT_S, LocalCounters, counter_in
from app.charging.limits.redis_asking import Arguments, RedisAsking
from app.charging.limits.redis_outage import RedisOutage
from app.charging.limits.redis_returns import FreeSlot, RedisReturns, ReturnRate
from app.charging.limits.rule import RateRule, Rules, SlotRule
from app.charging.limits.taken import Taken
from app.errors import Invalid

_SLOT_MARGIN_S = 30  # the record of a call may take that much longer than its deadline


class RedisCounters:
    """One message for all calls that come at once, and a bounded wait for its answer."""

    def __init__(self, url: str, *, processes: int, deadline_s: int, wait_s: float) -> None:
        """Count in the Redis of that URL, which has `wait_s` to answer; a call ends in `deadline_s`.

        `processes` share the limits while Redis is away.

        Raises Invalid for what is no URL of a Redis.
        """
        self._client = _client(url, wait_s)
        self._processes = processes
        self._lease_ms = (deadline_s + _SLOT_MARGIN_S) * 1000
        self._local = LocalCounters()
        self._outage = RedisOutage()
        self._asking = RedisAsking(self._client, self._arguments_of, self._orphan, wait_s=wait_s)
        self._returns = RedisReturns(self._client)

    async def take(self, rules: Rules, minute: int) -> Taken:
        """Count a call; where a rule refuses it, nothing is counted."""
        mine = self._local.count(rules, minute)
        if mine.refused is not None:
            return mine
        if self._outage.may_ask():
            try:
                return await self._take_shared(mine)
            except (RedisError, OSError, TimeoutError) as error:
                self._outage.failed(error)
            except BaseException:  # the caller has gone, and what Redis counts for it comes back as an orphan
                self._forget(mine)
                raise
        return self._local.recount(mine, rules.shared_among(self._processes))

    def give_back(self, taken: Taken) -> None:
        """Count a call's rates no longer: it was refused after all."""
        self._local.give_back(taken)
        if taken.shared:
            self._returns.add(*(ReturnRate(_rate_key(rate, taken.minute), rate.cost) for rate in taken.rules.rates))

    def end(self, taken: Taken) -> None:
        """Free a call's slots: it has ended. Where Redis did not answer, it may have counted them all the same."""
        self._local.end(taken)
        self._free(taken)

    async def start(self) -> None:
        """Begin to ask and to give back; Redis itself need not be there yet."""
        self._asking.start()
        self._returns.start()

    async def stop(self) -> None:
        """Free the slots of the calls that have ended, and leave."""
        await self._asking.stop()
        await self._returns.stop()
        await self._client.aclose()

    async def _take_shared(self, mine: Taken) -> Taken:
        """Count in Redis what is counted here. Raises RedisError, OSError, TimeoutError."""
        place, *counts = await self._asking.ask(mine)
        self._outage.answered()
        if place == 0:
            return replace(mine, counts=tuple(counts), shared=True)
        self._forget(mine)
        return replace(mine, counts=tuple(counts), refused=place - 1)

    def _arguments_of(self, mine: Taken) -> Arguments:
        rates, slots = mine.rules.rates, mine.rules.slots
        keys = [*(_rate_key(rate, mine.minute) for rate in rates), *map(_slot_key, slots)]
        bounds = [number for rate in rates for number in (rate.limit, rate.cost)]
        bounds += [slot.limit for slot in slots]
        return [len(keys), *keys, len(rates), KEPT_S, self._lease_ms, mine.token, *bounds]

    def _orphan(self, mine: Taken, reply: list[int] | None) -> None:
        """Return what Redis counted for a caller that had gone by then; of what is not known, the slots alone.

        A rate that was not counted must not be taken off: the minute would admit more than its limit.
        """
        if reply is None:
            self._free(mine)
        elif reply[0] == 0:
            self._returns.add(*(ReturnRate(_rate_key(rate, mine.minute), rate.cost) for rate in mine.rules.rates))
            self._free(mine)

    def _free(self, taken: Taken) -> None:
        if taken.rules.slots:
            self._returns.add(*(FreeSlot(_slot_key(slot), taken.token) for slot in taken.rules.slots))

    def _forget(self, mine: Taken) -> None:
        self._local.give_back(mine)
        self._local.end(mine)


def _client(url: str, wait_s: float) -> Redis:
    try:
        return Redis.from_url(url, socket_connect_timeout=wait_s, retry=Retry(NoBackoff(), 0))
    except ValueError:
        raise Invalid(
            "this is no address of a Redis", where="FAREMETER_REDIS_URL", hint="write redis://[:PASSWORD@]HOST:PORT/0"
        ) from None


def _rate_key(rate: RateRule, minute: int) -> str:
    return f"faremeter:rate:{counter_in(rate, minute)}"


def _slot_key(slot: SlotRule) -> str:
    return f"faremeter:slots:{slot.counter}"
