"""A paid prediction, the whole story: authorize, admit, pass the gate, run, price, record, answer."""

from app.accounts.account import Principal
from app.charging.claim import Claim, StoredAnswer, storable
from app.charging.gate import Gate, Pass
from app.charging.limits.second_looks import SecondLooks
from app.charging.quotes import Quotes
from app.charging.recorder import Record, Recorder
from app.charging.tier_positions import PositionKey
from app.clock import Clock
from app.database import CommitUncertain
from app.errors import AppError, Unavailable
from app.inference.engine import Cancelled, DeadlineExceeded, Engine, Job, ModelFailed, ModelUnavailable, Ticket
from app.inference.prediction import Prediction
from app.serving.admission import Admission, Admitter, authorize
from app.serving.attribution import (
    answer_of,
    charge_to,
    failure_event_of,
    quantities_of,
    replay_of,
    usage_event_of,
)
from app.serving.call import Answer, Call
from app.serving.deadline import until


class OutcomeUnknown(Unavailable):
    """The connection to the database broke in the middle of the commit that records the call."""

    code = "outcome_unknown"


class PredictUseCase:
    """Turns an authenticated call into an answer whose usage is durable before it leaves."""

    def __init__(  # noqa: PLR0917 - the collaborators of the story, in its order
        self, admitter: Admitter, gate: Gate, engine: Engine, quotes: Quotes, recorder: Recorder, clock: Clock
    ) -> None:
        self._admitter = admitter
        self._gate = gate
        self._engine = engine
        self._quotes = quotes
        self._recorder = recorder
        self._clock = clock
        self._second_looks = SecondLooks()

    async def predict(self, principal: Principal, call: Call) -> Answer:
        """Return the answer; a repeat under the same idempotency key gets the first one's.

        Raises what admission, gate, engine and recorder raise. Whatever is raised, nothing was charged; OutcomeUnknown
        alone cannot tell.
        """
        authorize(principal, call)
        try:
            async with until(call.deadline_ns):
                admission = await self._admitter.admit(principal, call)
        except AppError:
            if stored := await self._stored_answer(principal, call):
                return replay_of(stored)
            raise
        try:
            return await self._pass_and_run(admission, call)
        finally:
            admission.permit.end()

    async def _pass_and_run(self, admission: Admission, call: Call) -> Answer:
        """Claim and hold what the call needs; then run it, or answer what an earlier one got."""
        hold = admission.hold_request if admission.principal.gated else None
        entry = Pass(_claim_of(admission.principal, call, admission.event_id), hold)
        try:
            verdict = await self._gate.enter(entry) if entry.needed else None
        except BaseException:
            admission.permit.give_back()  # what is refused consumes nothing
            raise
        if isinstance(verdict, StoredAnswer):
            admission.permit.give_back()
            return replay_of(verdict)
        try:
            prediction = await self._run(admission, call)
            return await self._charge(admission, prediction, entry.claim, call)
        except BaseException:  # whatever ends the call before its record, a cancellation included, gives back all
            if entry.needed:
                self._gate.leave(entry)
            raise

    async def _run(self, admission: Admission, call: Call) -> Prediction:
        """Run the model. A client that leaves before its batch starts takes its job along, unbilled.

        What never reaches a device counts against no rate; what a device has worked on does, also where it failed.
        """
        served = admission.served
        job = Job(served.model, served.number, admission.principal.account_id, admission.model_input, call.deadline_ns)
        try:
            ticket = self._engine.submit(job)
        except AppError:
            admission.permit.give_back()  # it is refused, and nothing of it ran
            raise

        def give_up(_: object) -> None:
            ticket.cancel()

        call.departure.add_done_callback(give_up)
        try:
            async with until(call.deadline_ns):
                return await ticket.result
        except ModelFailed:
            self._recorder.note(Record(failure_event_of(admission)))
            raise
        except BaseException:
            if ticket.cancel() or _never_ran(ticket):
                admission.permit.give_back()
            raise
        finally:
            call.departure.remove_done_callback(give_up)

    async def _charge(self, admission: Admission, prediction: Prediction, claim: Claim | None, call: Call) -> Answer:
        """Price and record what was computed; only then is there an answer."""
        used = quantities_of(prediction, admission.prices)
        position = PositionKey(admission.principal.account_id, admission.plan_version.id, prediction.model)
        charge = charge_to(admission, await self._quotes.quote(admission.prices, used, position))
        answer = answer_of(admission, prediction, used, charge)
        delivered = not call.departure.done()
        event = usage_event_of(
            admission, prediction, used, charge, output_bytes=len(answer.stored.body), delivered=delivered
        )
        await self._record(Record(event, claim, storable(answer.stored) if claim else None, admission.hold_request))
        if claim:
            self._second_looks.answered(claim.account_id, claim.idempotency_key)
        if event.live:  # what is never invoiced does not move the tiers either
            self._quotes.settle(event.quantities, position)
        return answer

    async def _record(self, record: Record) -> None:
        try:
            await self._recorder.record(record)
        except CommitUncertain as error:
            raise OutcomeUnknown(
                "the database went away in the commit of this call: whether it was charged is not known yet",
                hint="repeat it under the same Idempotency-Key: it is charged once at most",
                retry_after_s=error.retry_after_s,
            ) from error

    async def _stored_answer(self, principal: Principal, call: Call) -> StoredAnswer | None:
        """Return the answer that an earlier call under this key got, even if it would not be admitted now.

        None also where the account's refused calls have looked for too many of them in this minute.
        """
        claim = _claim_of(principal, call, event_id="")
        if claim is None:
            return None
        if not self._second_looks.may_look(claim.account_id, claim.idempotency_key, self._clock.now()):
            return None
        return await self._gate.find_answer(claim)


def _claim_of(principal: Principal, call: Call, event_id: str) -> Claim | None:
    if call.idempotency_key is None:
        return None
    return Claim(principal.account_id, call.idempotency_key, call.request_digest, event_id)


def _never_ran(ticket: Ticket) -> bool:
    """Tell whether the job left its queue before a device took it: given up, past its deadline, or with the engine."""
    result = ticket.result
    if not result.done() or result.cancelled():
        return False
    return isinstance(result.exception(), (Cancelled, DeadlineExceeded, ModelUnavailable))
