"""How the people of the demo country come to be: from a NIF or NIE, a whole and coherent life.

Every number about somebody is drawn from a hash of the subject and of what it is for, never from a process's randomness:
the same subject is the same person everywhere and for ever, and a new fact changes none of the others. All bodies tell of
the same life, so the car that the traffic office knows is the one that the town taxes. `today` only says how far the life
has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import TypeVar

import msgspec
from stdnum.es import dni, referenciacatastral

from esclusa.demo.names import (
    DEGREES,
    FIRMS,
    GIVEN,
    MODELS,
    NATIONALITIES,
    SPECIALITIES,
    STREETS,
    SURNAMES,
    TOWNS,
    UNIVERSITIES,
    Town,
)
from esclusa.demo.people import (
    RETIREMENT,
    Address,
    Child,
    Degree,
    Dwelling,
    Fine,
    Home,
    Job,
    Marriage,
    Person,
    Vehicle,
    Visit,
    birthday,
)

T = TypeVar("T")
_PLATE_LETTERS = "BCDFGHJKLMNPRSTVWXYZ"
_PLATES_BEGAN = date(2000, 9, 18)
_PLATE_DAYS = 2.3
"""Days that a combination of the three letters of a number plate lasts."""
_OTHERS = 99_100_000
"""Where the numbers of `other` people begin: far above those that are given to anybody."""


class Draws:
    """The numbers that one subject always draws, by what they are for."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def fraction(self, purpose: str) -> float:
        """Evenly spread over [0, 1)."""
        digest = blake2b(f"{self._subject}/{purpose}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def whole(self, purpose: str, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        return low + int(self.fraction(purpose) * (high - low + 1))

    def chance(self, purpose: str, share: float) -> bool:
        """True for this share of all subjects."""
        return self.fraction(purpose) < share

    def one(self, purpose: str, of: Sequence[T]) -> T:
        """One of these."""
        return of[int(self.fraction(purpose) * len(of))]

    def day(self, purpose: str, first: date, last: date) -> date:
        """From `first` to `last`, both included; `first` when they are the wrong way round."""
        return first + timedelta(days=self.whole(purpose, 0, max(0, (last - first).days)))


class Citizen(msgspec.Struct, frozen=True):
    """A subject worth asking about."""

    nif: str
    story: str


CITIZENS = (
    Citizen(
        "99002727D",
        "Tecla grew up in A Coruña, studied in Girona and lives in Zaragoza: two cars, two children, a trade mark, a flat in "
        "Alacant with a well.",
    ),
    Citizen("99001192S", "Telmo, of Barcelona, has retired: seven jobs behind him, two cars, and a degree from the UNED."),
    Citizen("99002119E", "Ciro, born in Vigo in 2001, rents in Zaragoza and rides a Vespa: little is on file about him yet."),
    Citizen("Z9901635W", "Genoveva came from Portugal and is known by a NIE: a flat with a well in Madrid, three children."),
)
"""People worth asking about; the first is the one that the demo asks for."""


def person(subject: str, today: date) -> Person | None:
    """Whoever has this NIF or NIE, as of `today`; None for a company's NIF."""
    return _Life(subject, today).told() if is_person(subject) else None


def is_person(subject: str) -> bool:
    """Whether this is a person's NIF or NIE, and not a company's, by its first character."""
    return subject[0].isdigit() or subject[0] in "KLMXYZ"


def other(number: int) -> str:
    """The NIF of the `number`th of the other people, 0 to 99,999: valid, and nobody's."""
    digits = str(_OTHERS + number)
    return digits + dni.calc_check_digit(digits)


def plate(number: int, registered: date) -> str:
    """A number plate of the series that was being given on that day."""
    letters = int((registered - _PLATES_BEGAN).days / _PLATE_DAYS)
    size = len(_PLATE_LETTERS)
    return f"{number:04d} " + "".join(_PLATE_LETTERS[letters // size**place % size] for place in (2, 1, 0))


class _Life:
    """Draws one life, fact by fact; what depends on another fact is given it."""

    def __init__(self, subject: str, today: date) -> None:
        self._nif = subject
        self._today = today
        self._draws = Draws(subject)
        self._birth = self._draws.day("birth", date(1941, 1, 1), date(2003, 12, 31))

    def told(self) -> Person:
        draws, birth, today = self._draws, self._birth, self._today
        sex = draws.one("sex", "MF")
        surnames = (draws.one("surname/1", SURNAMES), draws.one("surname/2", SURNAMES))
        foreign = self._nif[0] in "XYZ"
        homes = tuple(self._homes(foreign=foreign))
        marriage = self._marriage(sex)
        vehicles = tuple(self._vehicles())
        return Person(
            nif=self._nif,
            given=draws.one("given", GIVEN[sex]),
            surnames=surnames,
            sex=sex,
            birth=birth,
            nationality=draws.one("nationality", NATIONALITIES) if foreign else "España",
            homes=homes,
            dwellings=tuple(self._dwellings(homes[-1])),
            vehicles=vehicles,
            jobs=tuple(self._jobs()),
            marriage=marriage,
            children=tuple(self._children(surnames, marriage)),
            degree=self._degree(),
            fines=tuple(self._fines(vehicles)),
            visit=Visit(draws.one("visit", SPECIALITIES), today + timedelta(days=draws.whole("visit/in", 3, 40))),
            trademark=f"{draws.one('trademark', SURNAMES)} & {surnames[0]}" if draws.chance("trademark?", 0.08) else None,
            today=today,
            age=today.year - birth.year - (today < birthday(birth, today.year - birth.year)),
        )

    def _turned(self, purpose: str, low: int, high: int) -> date:
        """A day between two ages."""
        return self._draws.day(purpose, birthday(self._birth, low), birthday(self._birth, high))

    def _address(self, purpose: str, town: Town) -> Address:
        draws = self._draws
        return Address(
            street=draws.one(f"{purpose}/street", STREETS),
            number=draws.whole(f"{purpose}/number", 1, 140),
            floor=f"{draws.whole(f'{purpose}/floor', 1, 8)}.º {draws.one(f'{purpose}/door', 'ABCD')}",
            postcode=f"{town.province}{draws.whole(f'{purpose}/postcode', 1, 40):03d}",
            town=town,
        )

    def _homes(self, *, foreign: bool) -> Iterator[Home]:
        """The parents' (or, from abroad, the first one here), perhaps one while studying, and one's own."""
        draws = self._draws
        moves = [self._turned("home/0", 19, 22) if foreign else self._birth]
        moves += [self._turned("home/1", 22, 24)] if draws.chance("home/1?", 0.4) else []
        moves += [self._turned("home/2", 27, 35)]
        moves = moves[:1] + [move for move in moves[1:] if move <= self._today]
        town = draws.one("town/0", TOWNS)
        for place, since in enumerate(moves):
            if place and draws.chance(f"town/{place}?", 0.5):
                town = draws.one(f"town/{place}", TOWNS)
            until = moves[place + 1] if place + 1 < len(moves) else None
            yield Home(self._address(f"home/{place}", town), since, until)

    def _dwellings(self, home: Home) -> Iterator[Dwelling]:
        draws = self._draws
        if self._today < birthday(self._birth, 36):  # who lives on one's own owns it or not; nobody younger does
            return
        if draws.chance("owner", 0.65):
            yield self._dwelling("dwelling/0", home.address, home.since)
        bought = self._turned("dwelling/1", 40, 55)
        if bought <= self._today and draws.chance("dwelling/1?", 0.3):
            yield self._dwelling("dwelling/1", self._address("dwelling/1", draws.one("dwelling/1/town", TOWNS)), bought)

    def _dwelling(self, purpose: str, address: Address, bought: date) -> Dwelling:
        draws = self._draws
        parcel = f"{draws.whole(f'{purpose}/parcel', 1_000_000, 9_999_999)}"
        sheet = f"VH{draws.whole(f'{purpose}/sheet', 1000, 9999)}{draws.one(f'{purpose}/half', 'ABCDEFGS')}"
        unit = f"{parcel}{sheet}{draws.whole(f'{purpose}/unit', 1, 80):04d}"
        area = draws.whole(f"{purpose}/area", 45, 160)
        return Dwelling(
            reference=unit + referenciacatastral.calc_check_digits(unit),
            address=address,
            area=area,
            built=draws.whole(f"{purpose}/built", 1930, max(1931, bought.year - 1)),
            bought=bought,
            value=area * draws.whole(f"{purpose}/price", 600, 1400),
            well=draws.chance(f"{purpose}/well", 0.3),
        )

    def _vehicles(self) -> Iterator[Vehicle]:
        draws = self._draws
        first = max(birthday(self._birth, 20), date(2004, 1, 1))
        if first > self._today:
            return
        for place in range(draws.whole("vehicles", 0, 2)):
            registered = draws.day(f"vehicle/{place}", first, self._today)
            make, model = draws.one(f"vehicle/{place}/model", MODELS)
            yield Vehicle(plate(draws.whole(f"vehicle/{place}/plate", 0, 9999), registered), make, model, registered)

    def _jobs(self) -> Iterator[Job]:
        """One after the other, with gaps, until retirement or today."""
        draws = self._draws
        end = birthday(self._birth, RETIREMENT)
        since = self._turned("job/0", 19, 25)
        place = 0
        while since < min(end, self._today):
            until = min(end, since + timedelta(days=draws.whole(f"job/{place}/days", 500, 5000)))
            wage = draws.whole(f"job/{place}/wage", 1300, 2200) + 150 * place
            yield Job(draws.one(f"job/{place}/employer", FIRMS), since, until if until <= self._today else None, wage)
            place += 1
            since = until + timedelta(days=draws.whole(f"job/{place}/gap", 1, 420))

    def _marriage(self, sex: str) -> Marriage | None:
        draws = self._draws
        day = self._turned("marriage", 25, 36)
        if day > self._today or not draws.chance("marriage?", 0.6):
            return None
        given = draws.one("spouse", GIVEN["F" if sex == "M" else "M"])
        return Marriage(f"{given} {draws.one('spouse/1', SURNAMES)} {draws.one('spouse/2', SURNAMES)}", day)

    def _children(self, surnames: tuple[str, str], marriage: Marriage | None) -> Iterator[Child]:
        """Of the marriage, two years apart or more."""
        draws = self._draws
        if marriage is None:
            return
        birth, taken = marriage.day, set[str]()
        for place in range(draws.whole("children", 0, 3)):
            birth += timedelta(days=draws.whole(f"child/{place}", 400, 1100))
            if birth > self._today:
                return
            names = GIVEN[draws.one(f"child/{place}/sex", "MF")]
            given = draws.one(f"child/{place}/given", [name for name in names if name not in taken])
            taken.add(given)
            yield Child(f"{given} {surnames[0]} {marriage.spouse.split()[1]}", birth)

    def _degree(self) -> Degree | None:
        day = self._turned("degree", 22, 26)
        if day > self._today or not self._draws.chance("degree?", 0.6):
            return None
        return Degree(self._draws.one("degree/title", DEGREES), self._draws.one("degree/where", UNIVERSITIES), day)

    def _fines(self, vehicles: tuple[Vehicle, ...]) -> Iterator[Fine]:
        """Oldest first; who has no vehicle has none."""
        draws = self._draws
        for year in range(self._today.year - 3, self._today.year + 1):
            day = draws.day(f"fine/{year}", date(year, 1, 1), date(year, 12, 31))
            driven = [vehicle for vehicle in vehicles if vehicle.registered <= day]
            if driven and day <= self._today and draws.chance(f"fine/{year}?", 0.4):
                case = f"{driven[-1].plate[:4]}-{draws.whole(f'fine/{year}/case', 100_000, 999_999)}"
                yield Fine(case, driven[-1].plate, day, draws.one(f"fine/{year}/amount", (100, 200, 300)))
