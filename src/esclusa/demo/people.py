"""The people of the demo country: what is known of somebody, whoever keeps it on file."""

from __future__ import annotations

from datetime import date

import msgspec

from esclusa.demo.names import Town

RETIREMENT = 66
"""The age at which everybody in this country retires."""


class Address(msgspec.Struct, frozen=True):
    """Where a door is."""

    street: str
    number: int
    floor: str
    postcode: str
    town: Town

    def __str__(self) -> str:
        return f"{self.street}, {self.number}, {self.floor}, {self.postcode} {self.town.name}"


class Home(msgspec.Struct, frozen=True):
    """A stretch of time that somebody is registered at an address."""

    address: Address
    since: date
    until: date | None = None


class Dwelling(msgspec.Struct, frozen=True):
    """A dwelling that somebody owns."""

    reference: str
    """The cadastral reference: 20 characters with valid check digits."""
    address: Address
    area: int
    """Square metres."""
    built: int
    bought: date
    value: int
    """Euros, as the cadastre sees it."""
    well: bool
    """There is a well, which the river's authority licenses."""


class Vehicle(msgspec.Struct, frozen=True):
    """A car or motorcycle."""

    plate: str
    make: str
    model: str
    registered: date


class Job(msgspec.Struct, frozen=True):
    """A stretch of employment."""

    employer: str
    since: date
    until: date | None
    wage: int
    """Euros a month."""


class Child(msgspec.Struct, frozen=True):
    """A son or daughter."""

    name: str
    birth: date


class Marriage(msgspec.Struct, frozen=True):
    """With whom and since when."""

    spouse: str
    day: date


class Degree(msgspec.Struct, frozen=True):
    """A university degree."""

    title: str
    university: str
    day: date


class Fine(msgspec.Struct, frozen=True):
    """A traffic fine."""

    case: str
    plate: str
    day: date
    amount: int


class Visit(msgspec.Struct, frozen=True):
    """A medical appointment still to come."""

    speciality: str
    day: date


class Person(msgspec.Struct, frozen=True):
    """Somebody's life so far."""

    nif: str
    given: str
    surnames: tuple[str, str]
    sex: str
    """`M` or `F`."""
    birth: date
    nationality: str
    homes: tuple[Home, ...]
    """Oldest first; the last is where the person lives."""
    dwellings: tuple[Dwelling, ...]
    vehicles: tuple[Vehicle, ...]
    jobs: tuple[Job, ...]
    """Oldest first."""
    marriage: Marriage | None
    children: tuple[Child, ...]
    degree: Degree | None
    fines: tuple[Fine, ...]
    visit: Visit
    trademark: str | None
    today: date
    """How far this life has been told."""
    age: int

    @property
    def name(self) -> str:
        """`Casilda Valdeluna Campoluz`."""
        return f"{self.given} {' '.join(self.surnames)}"

    @property
    def foreign(self) -> bool:
        """Known by a NIE."""
        return self.nif[0] in "XYZ"

    @property
    def home(self) -> Address:
        """Where the person lives."""
        return self.homes[-1].address

    @property
    def retired(self) -> date | None:
        """Since when; None: not yet."""
        return birthday(self.birth, RETIREMENT) if self.age >= RETIREMENT else None

    def has_lived_in(self, region: str) -> bool:
        """Whether any home was in this autonomous community."""
        return any(home.address.town.region == region for home in self.homes)

    def employed(self, year: int) -> Job | None:
        """The last job held in that year."""
        held = [job for job in self.jobs if job.since.year <= year and (job.until is None or job.until.year >= year)]
        return held[-1] if held else None


class Period(msgspec.Struct, frozen=True):
    """The stretch of time that a question is about."""

    since: date = date.min
    until: date = date.max

    def covers(self, day: date) -> bool:
        """Whether `day` lies in it; both ends do."""
        return self.since <= day <= self.until


def birthday(birth: date, age: int) -> date:
    """The day on which somebody reaches `age`; for 29 February, the 28th where need be."""
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:
        return birth.replace(year=birth.year + age, day=28)
