"""Extracts the word lists in lists/ from WordNet 3.0 as Debian's package wordnet-base ships it.

The lists are committed, so that the data does not depend on a package's version; this script says how they were made.
Run: python3 models/train/data/make_lists.py [/usr/share/wordnet]
"""

import re
import sys
from collections import Counter
from pathlib import Path

LISTS = Path(__file__).resolve().parent / "lists"
NAME = re.compile(r"[A-Z][a-z]{2,11}$")
ARTIFACT, FOOD = 6, 13  # WordNet's lexicographer files


def synsets(path: Path):
    """Every synset of a data file: offset, lexicographer file, words, pointers, gloss."""
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        head, _, gloss = line.partition(" | ")
        f = head.split()
        count = int(f[3], 16)
        words = [f[4 + 2 * i].replace("_", " ") for i in range(count)]
        at = 4 + 2 * count
        pointers = [(f[at + 1 + 4 * i], f[at + 2 + 4 * i]) for i in range(int(f[at]))]
        yield f[0], int(f[1]), words, pointers, gloss.strip()


def frequencies(folder: Path) -> Counter:
    """How often each word was tagged in WordNet's corpora."""
    counts = Counter()
    for line in (folder / "cntlist.rev").read_text().splitlines():
        key, _, count = line.split()
        counts[key.split("%")[0]] += int(count)
    return counts


def meanings(folder: Path):
    """Common words with others that mean nearly the same, a wider word, and what a dictionary says: `kind word|likes|wider|gloss`, each of the first sense."""
    tagged = Counter()  # by (word, first digit of the sense's key: 1 noun, 2 verb, 3 adjective, 5 the same)
    for line in (folder / "cntlist.rev").read_text().splitlines():
        key, _, count = line.split()
        word, _, rest = key.partition("%")
        tagged[word, {"5": "3"}.get(rest[0], rest[0])] += int(count)
    for digit, part in (("1", "noun"), ("2", "verb"), ("3", "adj")):
        known = {offset: (words, pointers, gloss) for offset, _, words, pointers, gloss in synsets(folder / f"data.{part}")}
        for line in (folder / f"index.{part}").read_text().splitlines():
            f = line.split()
            if line.startswith("  ") or tagged[f[0], digit] < 8 or not re.fullmatch("[a-z]{3,12}", f[0]):
                continue
            words, pointers, gloss = known[f[-int(f[2])]]  # the offsets of all senses end the line, the commonest first
            likes = [w for w in words if w != f[0] and tagged[w.replace(" ", "_"), digit] > 1 and re.fullmatch("[a-z]{3,12}( [a-z]{2,8})?", w)]
            wider = [w for mark, offset in pointers if mark == "@" for w in known[offset][0][:1] if w != f[0] and re.fullmatch("[a-z]{3,12}( [a-z]{2,8})?", w)]
            said = re.sub(r"\([^)]*\)|`|'", "", gloss.split(";")[0].split('"')[0]).strip(" :,")
            said = " ".join(said.split())
            if not 2 <= len(said.split()) <= 10 or not re.fullmatch("[A-Za-z ,-]+", said) or f[0] in said:
                said = ""
            if likes or said:
                yield f"{part} {f[0]}|{','.join(likes[:4])}|{','.join(wider[:1])}|{said}"


def write(name: str, items):
    items = sorted(set(items))
    (LISTS / name).write_text("\n".join(items) + "\n", encoding="utf-8")
    print(f"{name}: {len(items)}")


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/wordnet")
    counts = frequencies(folder)
    nouns = list(synsets(folder / "data.noun"))
    places, people, things, foods = [], [], [], []
    for _, lex, words, pointers, gloss in nouns:
        instance = any(p == "@i" for p, _ in pointers)
        if instance and lex == 15 and re.search(r"\b(city|town|port|capital)\b", gloss):
            places += [w for w in words if re.fullmatch(r"[A-Z][a-z]+( [A-Z][a-z]+)?", w) and 4 <= len(w) <= 16]
        if instance and lex == 18:
            people += words
        for w in words:
            if re.fullmatch(r"[a-z]{3,10}", w) and counts[w]:
                if lex == ARTIFACT:
                    things.append(w)
                if lex == FOOD:
                    foods.append(w)
    first, last = Counter(), Counter()
    for person in people:
        parts = person.split()
        if len(parts) == 2 and all(NAME.match(p) for p in parts):
            first[parts[0]] += 1
            last[parts[1]] += 1
    titles = {
        "Saint",
        "King",
        "Lord",
        "Lady",
        "Sir",
        "Duke",
        "President",
        "Queen",
        "Doctor",
        "Baron",
        "Marquis",
        "Chief",
        "Mother",
        "Buffalo",
        "Prince",
        "Captain",
        "Father",
        "General",
        "Dame",
        "Baronne",
        "Blessed",
        "Old",
    }
    write("first_names.txt", (n for n in first if n not in titles and len(n) > 2))
    write("last_names.txt", (n for n in last if n not in first))
    write("cities.txt", (p for p in places if not re.search(r"^(St|Capital|City|National|Holy|Port|Mount)\b|City", p)))
    write("things.txt", things)
    write("foods.txt", foods)
    examples = []
    for name in ("data.noun", "data.verb", "data.adj", "data.adv"):
        for _, _, _, _, gloss in synsets(folder / name):
            for text in re.findall(r'"([^"]+)"', gloss):
                if re.fullmatch(r"[A-Za-z][A-Za-z0-9 ,'.;!?-]*", text) and 4 <= len(text.split()) <= 24:
                    examples.append(text)
    write("sentences.txt", examples)
    write("meanings.txt", meanings(folder))


if __name__ == "__main__":
    main()
