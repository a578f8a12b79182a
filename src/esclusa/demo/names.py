"""What the demo country's people are made of: names that nobody bears, towns, streets, makes, trades."""

from __future__ import annotations

import msgspec


class Town(msgspec.Struct, frozen=True):
    """A municipality where people of the demo country live."""

    name: str
    province: str
    """The province's code of two digits, as the statistical office numbers them."""
    region: str
    """The body, in `esclusa.demo.bodies`, of the autonomous community that it belongs to."""
    council: str | None = None
    """The body of its town council, where that is connected."""


TOWNS = (
    Town("Madrid", "28", "comunidad-madrid", "ayto-madrid"),
    Town("Alcalá de Henares", "28", "comunidad-madrid"),
    Town("Barcelona", "08", "generalitat-catalunya", "ayto-barcelona"),
    Town("Girona", "17", "generalitat-catalunya"),
    Town("Tarragona", "43", "generalitat-catalunya"),
    Town("València", "46", "generalitat-valenciana", "ayto-valencia"),
    Town("Alacant", "03", "generalitat-valenciana"),
    Town("Castelló de la Plana", "12", "generalitat-valenciana"),
    Town("Sevilla", "41", "junta-andalucia", "ayto-sevilla"),
    Town("Málaga", "29", "junta-andalucia"),
    Town("Granada", "18", "junta-andalucia"),
    Town("A Coruña", "15", "xunta-galicia"),
    Town("Vigo", "36", "xunta-galicia"),
    Town("Bilbao", "48", "gobierno-vasco"),
    Town("Vitoria-Gasteiz", "01", "gobierno-vasco"),
    Town("Zaragoza", "50", "gobierno-aragon", "ayto-zaragoza"),
    Town("Teruel", "44", "gobierno-aragon"),
)

GIVEN = {
    "M": (
        "Amancio",
        "Blas",
        "Ciro",
        "Delfín",
        "Evaristo",
        "Fabián",
        "Guzmán",
        "Hilario",
        "Isidro",
        "Leandro",
        "Onofre",
        "Telmo",
    ),
    "F": (
        "Amaranta",
        "Brígida",
        "Casilda",
        "Delfina",
        "Edelmira",
        "Fabiola",
        "Genoveva",
        "Isaura",
        "Leocadia",
        "Odilia",
        "Tecla",
    ),
}
"""Given names by sex: real ones, none common."""

SURNAMES = (
    "Aguasclaras", "Brumalba", "Campoluz", "Doncierzo", "Esparcielo", "Fuenquebrada", "Garcielmo", "Hierbatana",
    "Islacampo", "Jarabonda", "Lunaguijo", "Marvientos", "Nievealta", "Olmoverde", "Peñaliebre", "Quintanube",
    "Ríoseñero", "Salvatierna", "Torrezuela", "Umbríarroyo", "Valdeluna", "Yerbacana", "Zarzamonte",
)  # fmt: skip
"""Surnames that sound right and that nobody bears."""

NATIONALITIES = ("Argentina", "Colombia", "Italia", "Marruecos", "Perú", "Portugal", "Rumanía", "Senegal", "Ucrania")

STREETS = (
    "Calle de la Esclusa", "Calle del Molino Viejo", "Avenida de los Almendros", "Paseo del Canal", "Calle Mayor",
    "Plaza de la Fuente", "Calle de las Compuertas", "Ronda del Río", "Travesía del Faro", "Camino de la Acequia",
)  # fmt: skip

FIRMS = (
    "Talleres Valdeluna, S.L.", "Conservas Marvientos, S.A.", "Gráficas Olmoverde, S.L.", "Transportes Doncierzo, S.A.",
    "Panificadora Zarzamonte, S.L.", "Clínica Fuenquebrada, S.L.", "Academia Nievealta, S.L.", "Hoteles Islacampo, S.A.",
    "Editorial Quintanube, S.L.", "Astilleros Torrezuela, S.A.", "Viveros Hierbatana, S.C.", "Software Brumalba, S.L.",
)  # fmt: skip

MODELS = (
    ("SEAT", "Ibiza"), ("SEAT", "León"), ("Renault", "Clio"), ("Renault", "Mégane"), ("Citroën", "C3"), ("Peugeot", "208"),
    ("Dacia", "Sandero"), ("Toyota", "Yaris"), ("Opel", "Corsa"), ("Ford", "Focus"), ("Vespa", "Primavera"),
)  # fmt: skip

DEGREES = (
    "Grado en Derecho", "Grado en Enfermería", "Grado en Ingeniería Informática", "Grado en Historia", "Grado en Química",
    "Grado en Magisterio", "Grado en Arquitectura", "Grado en Filología Hispánica", "Grado en Ciencias Ambientales",
)  # fmt: skip

UNIVERSITIES = (
    "Universidad Nacional de Educación a Distancia", "Universidad Complutense de Madrid", "Universitat de València",
    "Universidad de Sevilla", "Universidad de Zaragoza", "Universitat de Barcelona", "Universidade de Vigo",
)  # fmt: skip

SPECIALITIES = ("Medicina de familia", "Oftalmología", "Traumatología", "Dermatología", "Cardiología", "Odontología")
"""What somebody may have an appointment for."""
