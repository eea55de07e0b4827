"""Splits by entity and by template, and the pools of words that the generators draw from.

Every list is cut into three disjoint parts: `train`, `dev` and `test`. Which part an entry belongs to depends on a hash
of its text alone, so that adding entries moves no other one. Generators draw templates and entities from the part
that they are asked for; `dev` is for decisions during development, `test` for the benchmark only.
"""

import hashlib
import random
import re
from functools import lru_cache
from pathlib import Path

LISTS = Path(__file__).resolve().parent / "lists"
SPLITS = ("train", "dev", "test")


def _rank(text) -> str:
    return hashlib.sha1(str(text).encode()).hexdigest()


def parts(items) -> dict[str, list]:
    """Cuts a list by hash: about a seventh for test, a tenth for dev, at least one each when there are four or more."""
    ordered = sorted(dict.fromkeys(items), key=_rank)
    n = len(ordered)
    if n < 4:
        return {s: ordered for s in SPLITS}
    test, dev = max(1, n // 7), max(1, n // 10)
    return {"test": ordered[:test], "dev": ordered[test : test + dev], "train": ordered[test + dev :]}


_CACHE = {}


def pick(rng: random.Random, split: str, items):
    """One entry of the part of `items` (a tuple or list that does not change) that belongs to `split`."""
    key = id(items)
    if key not in _CACHE:
        _CACHE[key] = (items, parts(items))
    return rng.choice(_CACHE[key][1][split])


@lru_cache(None)
def vocabulary(text: str) -> frozenset[str]:
    """The words of a pattern, without its slots."""
    return frozenset(re.findall(r"[a-z']+", re.sub(r"\{\w+\}", "", text.lower())))


def like(text: str, held: list[frozenset[str]]) -> bool:
    """Whether it shares most of its words with one of these patterns: held-out ones, which training shall not meet nearly so."""
    mine = vocabulary(text)
    return any(len(mine & h) > 0.6 * len(mine | h) for h in held)


def words(name: str) -> tuple[str, ...]:
    return tuple((LISTS / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1])


FIRST = """Aaliyah Aarav Abigail Ada Adaeze Adele Agnes Ahmed Aiko Aisha Akira Alba Alejandro Alice Alina Amara Amelie Amina
Ana Anders Andrea Anjali Anna Anneke Antje Ariana Arjun Astrid Ayumi Ayse Beatriz Bela Birgit Bjorn Bogdan Brigitte Camila Carla
Carmen Chen Chiara Chidi Chloe Claire Clara Dagny Daniela Daria Deepa Diego Dilnaz Dmitri Dora Edith Eero Ekaterina Elena Elif
Elin Elise Ella Emeka Emil Emma Enzo Erika Esra Esther Eva Fatima Felix Femke Fiona Florian Freya Gabriela Giulia Grace Greta
Gustav Hana Hannah Haruka Hassan Heidi Helga Henrik Hiroshi Ibrahim Ilse Imran Ines Inga Ingrid Irina Isabel Ivana Jana Jasmin
Javier Jelena Jin Joanna Jonas Jorge Julia Juno Kaito Karin Karim Katarina Kateryna Keiko Kenji Khadija Kofi Kwame Lars Laila
Leila Lena Leon Leticia Lily Linnea Liv Lotte Lucia Luca Luisa Lukas Magda Maja Malik Manuela Marek Maria Mariam Marta Mateo
Matilda Maya Mehmet Mei Mia Mikko Milena Min Mira Mohammed Mona Nadia Naoko Nia Nikola Nils Nina Noor Olga Olivia Omar Oscar
Paloma Paola Pavel Pedro Petra Pia Priya Rafael Rahul Ravi Renata Rosa Ruth Sabine Sakura Salma Samira Sanna Sara Sofia Sonja
Stefan Suki Sven Tamar Tanja Tariq Tatiana Teresa Thabo Tomas Uma Ursula Valentina Vera Veronika Viktor Vivian Wanda Wei Xavier
Yara Yasmin Yuki Yusuf Zainab Zara Zofia Zoe Tom Ann Sue Max Sam Ben Tim Lucy Jack Molly Ellie Peter Paul Mary Kate Jane Bob Dan
Rosie Theo Finn Nora Oliver Leo Hugo Ivy Ruby Pip Milo""".split()
LAST = """Abe Acosta Adeyemi Almeida Andersen Aydin Bakker Banerjee Bauer Becker Berg Bianchi Bondarenko Braun Castillo Chaudhry
Chen Colombo Costa Cruz Dahl Delgado Demir Diallo Dubois Eriksson Fernandes Ferrari Fischer Fontaine Fujita Garcia Gomez Greco
Gruber Gupta Haas Haddad Halonen Hansen Herrera Hoang Hofer Horvat Ibrahim Ivanova Jansen Jensen Johansson Kaplan Karlsson Kaya
Keller Khan Kim Kimura Koch Kovacs Kowalski Kumar Larsen Laurent Lehtonen Lindgren Lopez Lund Maier Marino Marques Mbeki Mehta
Mendes Meyer Moreau Moreno Mueller Murakami Nakamura Ndiaye Nguyen Nielsen Nowak Novak Okafor Olsen Ortega Osei Papadakis Park
Patel Pereira Petrov Popescu Qureshi Ramos Rao Reyes Ricci Rossi Rahman Saito Sanchez Santos Sato Schmidt Schneider Sharma Silva
Singh Smirnov Sokolov Solberg Sorensen Suzuki Svensson Szabo Takahashi Tanaka Torres Tran Usman Vargas Vasquez Virtanen Vogel
Wagner Walker Wang Weber Winkler Wong Yamamoto Yilmaz Young Zhang Zimmer Smith Jones Brown Taylor Baker Cook Hill Green""".split()
CITIES = """Aachen Aarhus Accra Adelaide Agadir Almaty Antwerp Asuncion Athens Auckland Baku Bamako Bangalore Barcelona Basel Bath
Beirut Belfast Belgrade Bergen Berlin Bern Bilbao Boston Bratislava Brest Bristol Brno Brussels Bucharest Budapest Cairo Calgary
Cardiff Cologne Copenhagen Cork Dakar Dallas Delhi Denver Dhaka Dublin Dundee Durban Edinburgh Fez Florence Gdansk Geneva Genoa
Ghent Glasgow Granada Graz Guadalajara Haifa Halifax Hamburg Hanoi Harare Havana Helsinki Houston Innsbruck Istanbul Izmir Jaipur
Kampala Karachi Kazan Kiel Kigali Krakow Kyiv Kyoto Lagos Lahore Leeds Leipzig Lille Lima Linz Lisbon Liverpool Ljubljana London
Lusaka Lyon Madrid Malaga Malmo Manila Marseille Melbourne Miami Milan Minsk Montreal Mumbai Munich Nagoya Nairobi Nantes Naples
Nice Odense Oporto Osaka Oslo Ottawa Oxford Palermo Paris Perth Pisa Porto Poznan Prague Quito Rabat Reykjavik Riga Rome Rotterdam
Salzburg Santiago Sapporo Seattle Seoul Seville Shanghai Sofia Split Stockholm Sydney Tallinn Tampere Tbilisi Tirana Tokyo Toronto
Toulouse Trieste Tromso Tunis Turin Turku Uppsala Utrecht Valencia Vancouver Venice Vienna Vilnius Warsaw York Yerevan Zagreb Zurich
""".split()
FIRSTS = tuple(dict.fromkeys(FIRST + list(words("first_names"))))
COMMON_FIRSTS = tuple(FIRST)
LASTS = tuple(dict.fromkeys(LAST + list(words("last_names"))))
PLACES = tuple(dict.fromkeys(CITIES + list(words("cities"))))
FEMALE = set(
    """Ada Adele Agnes Alice Amelie Amina Ana Andrea Anna Astrid Clara Daria Edith Elena Elin Ella Emma Erika Esther Eva
Fatima Freya Grace Greta Hana Hannah Heidi Ines Ingrid Irina Isabel Jana Julia Karin Leila Lena Lily Lucia Maria Marta Mary Maya Mei
Mia Mira Mona Molly Nadia Nina Nora Olga Olivia Petra Priya Rosa Rosie Ruby Ruth Sara Sofia Sue Kate Jane Lucy Ann Ellie Ivy Vera Yuki
Zara Zoe Zofia Aisha Chloe Claire Fiona Juno Laila""".split()
)
MALE = set(
    """Ahmed Anders Arjun Bob Ben Bjorn Dan Diego Emil Enzo Felix Finn Florian Gustav Hassan Henrik Hiroshi Hugo Ibrahim Jack
Javier Jonas Karim Kenji Kofi Lars Leo Leon Luca Lukas Marek Max Mehmet Milo Nils Oliver Omar Oscar Paul Pavel Pedro Peter Rafael
Ravi Sam Stefan Sven Theo Tim Tom Tomas Viktor Xavier Yusuf""".split()
)
ADJECTIVES = """red blue green white black small large old new round wooden yellow grey brown cheap heavy light long short thick
thin warm soft silver golden plastic leather cotton woollen steel folding striped plain fresh used spare electric orange purple pink
tall narrow wide simple modern shiny""".split()
GOODS = """chair table lamp book pencil notebook shirt jacket scarf mug plate spoon bicycle helmet tent backpack pillow blanket
towel mirror clock phone charger cable keyboard monitor printer speaker camera tripod guitar drum violin carpet curtain shelf desk
candle vase basket bucket broom hammer wrench drill ladder rope bolt screw nail brush kettle pan knife fork bowl bottle cup glove hat
belt boot shoe sandal sock umbrella wallet suitcase puzzle kite ball doll stamp envelope folder stapler ticket poster map globe
magnet battery torch whistle ring necklace bracelet watch apple pear lemon melon carrot potato onion cabbage loaf cake pie cookie
muffin sandwich egg sausage pizza burger plant flower tulip rose cactus seed""".split()
ADJ = tuple(ADJECTIVES)
THINGS = tuple(dict.fromkeys(GOODS + [w for w in words("things") if not w.endswith(("s", "ing", "ment", "tion"))]))
COMMON_THINGS = tuple(GOODS)
RANDOM_WORDS = tuple(dict.fromkeys(words("things") + words("foods")))
JOBS = tuple(
    """teacher nurse baker pilot farmer singer driver painter lawyer doctor engineer waiter student gardener writer dentist
plumber carpenter librarian journalist chemist cook tailor sailor butcher clerk guard judge miner potter banker coach editor
programmer designer photographer architect translator mechanic hairdresser postman actor dancer florist biologist""".split()
)
HOBBIES = tuple(
    """reading|cooking|hiking|painting|swimming|chess|football|tennis|singing|dancing|fishing|knitting|cycling|climbing|sailing|
photography|baking|running|skiing|yoga|drawing|gardening|surfing|board games|old films|bird watching|jazz|pottery|riding|puzzles""".replace(
        "\n", ""
    ).split(
        "|"
    )
)
COLORS = tuple("red blue green yellow black white brown orange purple pink grey silver gold".split())
PETS = tuple("dog cat rabbit parrot hamster horse goat turtle goldfish pony mouse duck lizard snake ferret".split())


def plural(noun: str) -> str:
    irregular = {"knife": "knives", "loaf": "loaves", "shelf": "shelves", "scarf": "scarves", "mouse": "mice", "goldfish": "goldfish"}
    last = noun.split()[-1]
    if last in irregular:
        return noun[: -len(last)] + irregular[last]
    if noun.endswith(("s", "x", "z", "ch", "sh")) or noun in ("potato",):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(noun: str) -> str:
    return ("an " if noun[0].lower() in "aeio" else "a ") + noun
