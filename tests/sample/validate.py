#!/usr/bin/env python3
"""Runs constrain_sample and validates what it generates with Python's jsonschema (Debian's python3-jsonschema), and,
where the program was built with it, with valijson. Exit code 77: jsonschema is not installed.

    tests/sample/validate.py --program build/bin/constrain_sample --tokenizer models/default --instances 100000
"""
import argparse
import decimal
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed: nothing is checked")
    sys.exit(77)


def whole_end(pattern):
    """`$` means the end of the text alone, not before a last line break."""
    out, in_class, at = "", False, 0
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            out += pattern[at:at + 2]
            at += 2
            continue
        in_class = c == "[" or (in_class and c != "]")
        out += r"\Z" if c == "$" and not in_class else c
        at += 1
    return out


def with_whole_ends(schema):
    if isinstance(schema, list):
        return [with_whole_ends(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "pattern" and isinstance(value, str):
            value = whole_end(value)
        elif key == "patternProperties" and isinstance(value, dict):
            value = {whole_end(k): with_whole_ends(v) for k, v in value.items()}
        elif key in ("enum", "const"):
            pass
        else:
            value = with_whole_ends(value)
        out[key] = value
    return out


def is_integer(_, value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, decimal.Decimal) and value == value.to_integral_value())


def no_duplicates(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key comes twice")
    return out


def validator_of(schema):
    cls = jsonschema.validators.validator_for(schema, default=jsonschema.Draft7Validator)
    cls.check_schema(schema)
    checker = cls.TYPE_CHECKER.redefine("integer", is_integer)
    return jsonschema.validators.extend(cls, type_checker=checker)(schema, format_checker=jsonschema.FormatChecker())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--instances", default="1000")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--schemas", help="one schema, or record of a suite, a line, instead of random schemas")
    options = parser.parse_args()
    decimal.getcontext().prec = 10_000  # multipleOf divides exactly, also 1e400 by 0.25
    command = [options.program, "--tokenizer", options.tokenizer, "--instances", options.instances, "--seed", options.seed]
    if options.schemas:
        command += ["--schemas", options.schemas]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    load = dict(parse_float=decimal.Decimal, object_pairs_hook=no_duplicates)
    schema, validator, checked, invalid, unusable, summary = None, None, 0, 0, 0, None
    for line in process.stdout:
        event = json.loads(line)
        if "schema" in event:
            schema = json.loads(line, parse_float=decimal.Decimal)["schema"]
            try:
                validator = validator_of(with_whole_ends(schema))
            except Exception as why:  # not a schema of its draft, or one whose references lead outside
                validator, unusable = None, unusable + 1
        elif "text" in event and validator is not None:
            try:
                value = json.loads(event["text"], **load)
                error = jsonschema.exceptions.best_match(validator.iter_errors(value))
            except (RecursionError, decimal.InvalidOperation):  # jsonschema's own limit; an exponent beyond decimal's
                unusable += 1
                continue
            except ValueError as why:
                error = why
            checked += 1
            if error is not None:
                invalid += 1
                if invalid <= 20:
                    print(f"INVALID ({event['policy']}, budget {event['budget']}): {event['text']}\n    "
                          f"{str(error).splitlines()[0]}\n    schema: {json.dumps(schema, default=str)[:1500]}")
        elif "stuck" in event or "invalid" in event:
            kind = "STUCK" if "stuck" in event else "INVALID for valijson"
            print(f"{kind} ({event['policy']}, budget {event['budget']}): {event.get('stuck', event.get('invalid'))}\n"
                  f"    schema: {json.dumps(schema, default=str)[:1500]}")
        elif "careful" in event:
            print(f"a budget of {event['careful']} tokens is called too small, but {event['tokens']} are enough "
                  f"({event['policy']}): {json.dumps(schema, default=str)[:600]}")
        elif "summary" in event:
            summary = event["summary"]
    code = process.wait()
    if summary is None:
        print(f"constrain_sample ended with {code} before its end")
        return 1
    summary.update(jsonschema_checked=checked, jsonschema_invalid=invalid, jsonschema_unusable=unusable)
    print(json.dumps(summary))
    if summary["valijson_checked"] == 0:
        print("built without valijson (libvalijson-dev), or no schema that it can read: only jsonschema has checked")
    return 0 if code == 0 and invalid == 0 and checked > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
