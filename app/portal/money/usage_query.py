"""What the address of the usage page asks: metric, group, range, zone and keys. A page is shared by its address."""

from typing import Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from app.clock import Clock
from app.metering.usage_range import Metric, Preset, UsageRange, chosen_range, preset_range
from app.metering.usage_report import GroupBy
from app.period import parse_zone


class UsageQuery(BaseModel):
    """The query string. `from` and `to` count where the range is `custom`; without a zone it is the visitor's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Metric = Metric.REQUESTS
    group: GroupBy | Literal["none"] = GroupBy.MODEL
    range: Preset | Literal["custom"] = Preset.LAST_30_DAYS
    from_: str = Field(default="", alias="from", max_length=40)
    to: str = Field(default="", max_length=40)
    zone: str = Field(default="", max_length=80)
    keys: Literal["live", "test"] = "live"

    @property
    def group_by(self) -> GroupBy | None:
        return None if self.group == "none" else self.group

    @property
    def live(self) -> bool:
        return self.keys == "live"

    def in_zone(self, zone: str) -> "UsageQuery":
        """Return the query with the zone that it is answered in."""
        return self.model_copy(update={"zone": self.zone or zone})

    def address(self, path: str = "/app/usage", **changes: str) -> str:
        """Return the address that asks the same but for the changes."""
        asked = self.model_dump(by_alias=True, mode="json") | changes
        if asked["range"] != "custom":
            del asked["from"], asked["to"]
        return f"{path}?{urlencode(asked)}"

    def find_range(self, clock: Clock) -> UsageRange:
        """Return the instants that are asked for. Raises Invalid for a zone, a bound or a range that is none."""
        zone = parse_zone(self.zone)
        if self.range == "custom":
            return chosen_range(self.from_ or None, self.to or None, zone, clock.now())
        return preset_range(self.range, zone, clock.now())
