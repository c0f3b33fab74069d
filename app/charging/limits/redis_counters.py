"""Counters that several processes share in Redis, and what each of them does while Redis is away.

Every process counts its own calls as well. That refuses without Redis what is beyond the limit here already, and it is
what remains when Redis does not answer: then each process keeps to its share of the limits.
"""

import asyncio

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.charging.limits.local_counters import KEPT_S, LocalCounters, counter_in
from app.charging.limits.redis_outage import RedisOutage
from app.charging.limits.redis_returns import FreeSlot, RedisReturns, ReturnRate
from app.charging.limits.redis_scripts import TAKE
from app.charging.limits.rule import RateRule, Rules, SlotRule
from app.charging.limits.taken import Taken
from app.errors import Invalid

_ANSWER_S = 0.1
_CONNECTIONS_MAX = 64
_SLOT_MARGIN_S = 30  # the record of a call may take that much longer than its deadline


class RedisCounters:
    """One round trip a call, and never more than 100 ms of waiting."""

    def __init__(self, url: str, *, processes: int, deadline_s: int) -> None:
        """Count in the Redis of that URL. `processes` share the limits while it is away; a call ends in `deadline_s`.

        Raises Invalid for what is no URL of a Redis.
        """
        self._client = _client(url)
        self._take = self._client.register_script(TAKE)
        self._processes = processes
        self._lease_ms = (deadline_s + _SLOT_MARGIN_S) * 1000
        self._local = LocalCounters()
        self._outage = RedisOutage()
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
            except BaseException:  # the caller has gone: Redis may have counted, and the slot's lease must not run on
                self.give_back(mine)
                self.end(mine)
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
        if taken.rules.slots:
            self._returns.add(*(FreeSlot(_slot_key(slot), taken.token) for slot in taken.rules.slots))

    async def start(self) -> None:
        """Begin to give back what calls have taken; Redis itself need not be there yet."""
        self._returns.start()

    async def stop(self) -> None:
        """Free the slots of the calls that have ended, and leave."""
        await self._returns.stop()
        await self._client.aclose()

    async def _take_shared(self, mine: Taken) -> Taken:
        """Count in Redis what is counted here. Raises RedisError, OSError, TimeoutError."""
        rules = mine.rules
        keys = [*(_rate_key(rate, mine.minute) for rate in rules.rates), *(_slot_key(slot) for slot in rules.slots)]
        bounds = [number for rate in rules.rates for number in (rate.limit, rate.cost)]
        bounds += [slot.limit for slot in rules.slots]
        async with asyncio.timeout(_ANSWER_S):
            reply = await self._take(keys, [len(rules.rates), KEPT_S, self._lease_ms, mine.token, *bounds])
        self._outage.answered()
        place, *counts = (int(number) for number in reply)
        if place == 0:
            return Taken(rules, mine.minute, mine.token, tuple(counts), shared=True)
        self._local.give_back(mine)
        self._local.end(mine)
        return Taken(rules, mine.minute, mine.token, tuple(counts), refused=place - 1)


def _client(url: str) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS_MAX,
            timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise Invalid(
            "this is no address of a Redis", where="FAREMETER_REDIS_URL", hint="write redis://[:PASSWORD@]HOST:PORT/0"
        ) from None
    return Redis.from_pool(pool)


def _rate_key(rate: RateRule, minute: int) -> str:
    return f"faremeter:rate:{counter_in(rate, minute)}"


def _slot_key(slot: SlotRule) -> str:
    return f"faremeter:slots:{slot.counter}"
