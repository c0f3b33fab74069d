"""Settings become services: the only place that constructs collaborators."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from app.accounts.authentication import Authenticator
from app.accounts.change_watch import ChangeWatch
from app.accounts.limits_service import Limits
from app.accounts.service import Accounts
from app.audit_log.service import AuditLog
from app.backup.service import Backups
from app.billing.budget_mail import BudgetMail
from app.billing.invoice_run import InvoiceRun
from app.billing.preview import InvoicePreview
from app.billing.service import Invoices
from app.charging.budgets import Budgets
from app.charging.credits import Credits
from app.charging.gate import Gate
from app.charging.gate_book import PlanVersionShelf
from app.charging.housekeeping import Housekeeping
from app.charging.limits.counters import Counters
from app.charging.limits.limiter import Limiter
from app.charging.limits.local_counters import LocalCounters
from app.charging.limits.model_limits import ModelLimits
from app.charging.limits.redis_counters import RedisCounters
from app.charging.limits.sole_process import SoleProcess
from app.charging.process_lease import ProcessLease
from app.charging.quotes import Quotes
from app.charging.recorder import Recorder
from app.charging.sweeper import Sweeper
from app.charging.tier_positions import TierPositions
from app.clock import Clock, SystemClock
from app.database import Database
from app.economics.margins import Margins
from app.economics.service import Economics
from app.errors import Invalid
from app.inference.engine import Engine
from app.inference.model_repository import ModelRepository
from app.members.email_change import EmailChange
from app.members.housekeeping import MemberHousekeeping
from app.members.identities import Identities
from app.members.identity_binding import IdentityBinding
from app.members.link_mail import LinkMail
from app.members.mail_folder import MailFolder
from app.members.membership import Members
from app.members.open_id_connect import CALLBACK_PATH, OpenIdConnect
from app.members.open_id_http import is_safe
from app.members.open_id_provider import OpenIdProvider
from app.members.passwords import Passwords
from app.members.sessions import Sessions
from app.members.sign_in import SignIn
from app.members.sign_up import SignUp
from app.metering.service import Metering
from app.outbox.delivery import Delivery
from app.outbox.folder import FolderDelivery
from app.outbox.postman import Postman
from app.outbox.smtp import SmtpDelivery, parse_smtp_url
from app.pricing.plan import PlanDraft
from app.pricing.plan_book import PlanBook
from app.pricing.service import Plans
from app.self_audit.service import SelfAudit
from app.serving.admission import Admitter
from app.serving.attribution import batch_record_of
from app.serving.device_uptime import DeviceUptime
from app.serving.drain import Drain
from app.serving.predict import PredictUseCase
from app.serving.results import refuse_unanswerable
from app.settings import Settings

_GATE_PATIENCE_S = 3.0
_RECORD_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that works on the database alone: enough for the command line and the background process."""

    settings: Settings
    clock: Clock
    database: Database
    audit_log: AuditLog
    accounts: Accounts
    plans: Plans
    metering: Metering
    invoices: Invoices
    invoice_run: InvoiceRun
    invoice_preview: InvoicePreview
    economics: Economics
    margins: Margins
    credits: Credits
    budgets: Budgets
    limits: Limits
    budget_mail: BudgetMail
    housekeeping: Housekeeping
    backups: Backups
    self_audit: SelfAudit
    sweeper: Sweeper
    sign_in: SignIn
    sign_up: SignUp
    sessions: Sessions
    members: Members
    passwords: Passwords
    email_change: EmailChange
    identity_binding: IdentityBinding
    open_id_connect: OpenIdConnect
    member_housekeeping: MemberHousekeeping
    mail_folder: MailFolder
    postman: Postman


@dataclass(frozen=True, slots=True)
class Services(Books):
    """The books, and what a serving process adds to them."""

    authenticator: Authenticator
    plan_book: PlanBook
    engine: Engine
    predict: PredictUseCase
    recorder: Recorder
    gate: Gate
    limiter: Limiter
    lease: ProcessLease
    sole_process: SoleProcess | None
    changes: ChangeWatch
    uptime: DeviceUptime
    drain: Drain

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start each part before the one that needs it, and stop them in the opposite order, whatever fails.

        The engine ends first: what it has computed is recorded before the recorder ends. Raises DatabaseUnavailable,
        OtherServerLives.
        """
        async with AsyncExitStack() as parts:
            parts.callback(self.database.dispose)
            self.postman.start()
            parts.push_async_callback(self.postman.stop)
            await self.lease.start()
            parts.push_async_callback(self.lease.stop)
            if self.sole_process is not None:
                await self.sole_process.require()
            self.sweeper.start(self.lease.id)
            parts.push_async_callback(asyncio.to_thread, self.sweeper.stop)
            self.recorder.start()
            parts.push_async_callback(self.recorder.stop)
            self.gate.start()
            parts.push_async_callback(self.gate.stop)
            await self.limiter.start()
            parts.push_async_callback(self.limiter.stop)
            await self.changes.start()
            parts.push_async_callback(self.changes.stop)
            await self.engine.start()
            parts.push_async_callback(self.engine.stop)
            await self.uptime.start()
            parts.push_async_callback(self.uptime.stop)
            yield


def open_books(settings: Settings, clock: Clock | None = None) -> Books:
    """Return the books; the database is not touched yet."""
    clock = clock or SystemClock()
    database = Database(settings.database_url_or_default)
    preview = InvoicePreview(database, clock)
    plans = Plans(database, clock, check_models=partial(_check_models, settings))
    return Books(
        settings=settings,
        clock=clock,
        database=database,
        audit_log=AuditLog(database),
        accounts=Accounts(database, clock),
        plans=plans,
        metering=Metering(database),
        invoices=Invoices(database),
        invoice_run=InvoiceRun(database, clock, settings.issue_grace_s),
        invoice_preview=preview,
        economics=Economics(database, clock, settings.hardware_file),
        margins=Margins(database, clock, settings.hardware_file, preview),
        backups=Backups(database, clock),
        self_audit=SelfAudit(database, clock),
        credits=Credits(database, clock),
        budgets=Budgets(database, clock),
        limits=Limits(database, clock, known_models=partial(_known_models, settings, plans)),
        housekeeping=Housekeeping(database, clock, answer_ttl=timedelta(hours=settings.answer_ttl_h)),
        sweeper=Sweeper(database, PlanVersionShelf(), lease_s=settings.process_lease_s),
        **_members(settings, database, clock),
    )


def _check_models(settings: Settings, draft: PlanDraft) -> None:
    """Refuse a plan whose conditions the models of this installation cannot answer, as their manifests stand now."""
    folders = ModelRepository(settings.models_dir, settings.data_dir).scan()
    refuse_unanswerable(draft, [folder.manifest for folder in folders if folder.manifest])


def _known_models(settings: Settings, plans: Plans) -> set[str]:
    """Return the models that are deployed here now, and those that a plan has ever priced."""
    deployed = {folder.name for folder in ModelRepository(settings.models_dir, settings.data_dir).scan()}
    return deployed | plans.priced_models()


def _members(settings: Settings, database: Database, clock: Clock) -> dict[str, Any]:
    """Return what concerns people and their mail, by the names of the fields of Books."""
    _require_public_url(settings)
    postman = Postman(database, clock, _delivery(settings), sender=settings.mail_from)
    sign_in, link_mail = SignIn(database), LinkMail(settings.public_url, postman)
    sign_up = SignUp(database, clock, sign_in, link_mail, policy=settings.sign_up, default_plan=settings.default_plan)
    plan_of_newcomers = settings.default_plan if sign_up.open_to_all else None
    identities = Identities(database, clock, link_mail, plan_of_newcomers=plan_of_newcomers)
    binding = IdentityBinding(database, clock, sign_in, link_mail)
    return {
        "sign_in": sign_in,
        "sign_up": sign_up,
        "sessions": Sessions(database, clock, ttl=timedelta(hours=settings.session_ttl_h)),
        "members": Members(database, clock, link_mail, invitations_open=settings.sign_up != "closed"),
        "passwords": Passwords(database, clock, sign_in, link_mail),
        "email_change": EmailChange(database, clock, sign_in, link_mail),
        "identity_binding": binding,
        "open_id_connect": OpenIdConnect(identities, binding, _provider(settings, clock), name=settings.oidc_name),
        "member_housekeeping": MemberHousekeeping(database, clock),
        "mail_folder": MailFolder(database, clock, settings.data_dir),
        "postman": postman,
        "budget_mail": BudgetMail(database, clock, postman, public_url=settings.public_url),
    }


def _require_public_url(settings: Settings) -> None:
    """Raise Invalid where mails or a provider would lead people to the address that nobody has set."""
    leads_people = settings.smtp_url is not None or settings.oidc_issuer is not None
    if leads_people and "public_url" not in settings.model_fields_set:
        raise Invalid(
            "mails and the sign-in at a provider lead people to the portal, and where it is was not set",
            where="FAREMETER_PUBLIC_URL",
            hint="set it to the address that people reach, such as https://meter.example",
        )


def _provider(settings: Settings, clock: Clock) -> OpenIdProvider | None:
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None or not is_safe(settings.oidc_issuer):
        raise Invalid(
            "an OpenID Connect provider needs an https:// address and a client id",
            where="FAREMETER_OIDC_ISSUER",
            hint="set FAREMETER_OIDC_CLIENT_ID, and FAREMETER_OIDC_CLIENT_SECRET where the provider gave one",
        )
    secret = settings.oidc_client_secret
    return OpenIdProvider(
        clock,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        redirect_uri=settings.public_url + CALLBACK_PATH,
    )


def _delivery(settings: Settings) -> Delivery:
    if settings.smtp_url is not None:
        return SmtpDelivery(parse_smtp_url(settings.smtp_url.get_secret_value()))
    return FolderDelivery(settings.data_dir)


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """Return the services of a serving process; nothing is started yet."""
    books = open_books(settings, clock)
    database, clock = books.database, books.clock
    lease = ProcessLease(database, clock, lease_s=settings.process_lease_s)
    group_max = settings.commit_group_max
    shelf = PlanVersionShelf()
    recorder = Recorder(database, clock, lease, shelf, group_max=group_max, patience_s=_RECORD_PATIENCE_S)
    gate = Gate(
        database,
        clock,
        lease,
        shelf,
        group_max=group_max,
        patience_s=_GATE_PATIENCE_S,
        answer_ttl=timedelta(hours=settings.answer_ttl_h),
    )
    engine = _engine(settings, clock, recorder)
    authenticator = Authenticator(database, clock)
    plan_book = PlanBook(database)
    model_limits = ModelLimits(database)
    counters = _counters(settings)
    limiter = Limiter(model_limits, counters, clock)
    admitter = Admitter(engine, plan_book, limiter, clock)
    quotes = Quotes(TierPositions(database, clock))
    return Services(
        **{name: getattr(books, name) for name in Books.__slots__},
        authenticator=authenticator,
        plan_book=plan_book,
        engine=engine,
        predict=PredictUseCase(admitter, gate, engine, quotes, recorder, clock),
        recorder=recorder,
        gate=gate,
        limiter=limiter,
        lease=lease,
        sole_process=SoleProcess(database, lease) if isinstance(counters, LocalCounters) else None,
        changes=ChangeWatch(database, [authenticator.forget, plan_book.forget, model_limits.forget]),
        uptime=DeviceUptime(engine, recorder, clock),
        drain=Drain(drain_s=settings.drain_s),
    )


def _counters(settings: Settings) -> Counters | None:
    """Return where limits are counted: nowhere where they are off. Raises Invalid for a wrong FAREMETER_REDIS_URL."""
    if settings.limits == "off":
        return None
    if settings.redis_url is None:
        return LocalCounters()
    return RedisCounters(
        settings.redis_url.get_secret_value(),
        processes=settings.http_processes,
        deadline_s=settings.request_deadline_s,
        wait_s=settings.redis_wait_ms / 1000,
    )


def _engine(settings: Settings, clock: Clock, recorder: Recorder) -> Engine:
    # torch takes seconds to import: only a process that serves pays for it.
    from app.inference.inline_engine import InlineEngine

    return InlineEngine(
        ModelRepository(settings.models_dir, settings.data_dir),
        device=settings.device,
        clock=clock,
        on_batch=lambda fact: recorder.note(batch_record_of(fact)),
        queue_items_max=settings.queue_items_max,
        decode_threads=settings.decode_threads,
        fetch_weights=settings.fetch_weights,
    )
