"""Every page that a browser can open, and who may: read off the portal's own table, where a new page has to stand."""

from dataclasses import dataclass

from app.members.mailed_link import LinkPurpose
from app.members.role import Permission, Role, permissions_of
from tests.browser.installation import Installation
from tests.browser.look import Person
from tests.portal.pages import OPERATOR_ONLY, PAGES, PUBLIC, Page

_PURPOSES = {
    "/join/{token}": LinkPurpose.SIGN_UP,
    "/reset/{token}": LinkPurpose.RESET,
    "/confirm-email/{token}": LinkPurpose.EMAIL_CHANGE,
}


@dataclass(frozen=True, slots=True)
class Room:
    """One page."""

    page: Page

    def __str__(self) -> str:
        return self.page.path.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "landing"

    @property
    def visitors(self) -> list[Person]:
        """Everybody who may see the page."""
        return [person for person in Person if _may_see(person, self.page.needs)]

    @property
    def refused(self) -> list[Person]:
        """Everybody else."""
        return [person for person in Person if person not in self.visitors]

    @property
    def host(self) -> Person:
        """The one whom the page is made for."""
        made_for = {PUBLIC: Person.STRANGER, OPERATOR_ONLY: Person.OPERATOR}
        return made_for.get(self.page.needs, Person.OWNER)

    def address(self, installation: Installation, person: Person) -> str:
        """Return the page's address, with the installation's own ids in it, and the token of the person's link."""
        query = f"?{self.page.query}" if self.page.query else ""
        purpose = _PURPOSES.get(self.page.path)
        token = installation.link_token(purpose, person) if purpose else ""
        return installation.url + (self.page.path + query).format(**installation.ids, token=token)


# What downloads is no page.
ROOMS = [Room(page) for page in PAGES if page.method == "GET" and not page.path.endswith(".csv")]


def _may_see(person: Person, needs: Permission | str) -> bool:
    if needs == PUBLIC:
        return True
    if person is Person.OPERATOR or needs == OPERATOR_ONLY:
        return person is Person.OPERATOR and not isinstance(needs, Permission)
    if not isinstance(needs, Permission):
        return person is not Person.STRANGER
    return person is not Person.STRANGER and needs in permissions_of(Role(person))
