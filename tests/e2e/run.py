#!/usr/bin/env python3
"""End-to-end tests: the real binaries, as users call them. Needs only Python's standard library.

    run.py --bin build/bin [filter…]    runs the tests whose names contain one of the filters
    run.py --list                       prints their names

Exit code 77 when every chosen test was skipped (no model on this machine).
"""
import argparse
import pathlib
import sys
import time
import traceback

sys.dont_write_bytecode = True  # leaves the source tree as it is

import support
import test_batch  # noqa: F401  (these register tests)
import test_compiler  # noqa: F401
import test_constrain  # noqa: F401
import test_default_model  # noqa: F401
import test_models  # noqa: F401
import test_run  # noqa: F401
import test_server  # noqa: F401
import test_server_faults  # noqa: F401
import test_server_hostile  # noqa: F401
import test_server_load  # noqa: F401
import test_server_tls  # noqa: F401
import test_suites  # noqa: F401
import test_tools  # noqa: F401


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("filter", nargs="*")
    options = parser.parse_args()
    support.Setup.bin = options.bin.resolve()
    names = [n for n in support.TESTS if not options.filter or any(word in n for word in options.filter)]
    if options.list:
        print("\n".join(names))
        return 0
    failed = skipped = 0
    for name in names:
        start = time.monotonic()
        try:
            support.TESTS[name]()
            verdict, why = "ok  ", ""
        except support.Skip as reason:
            skipped += 1
            verdict, why = "skip", str(reason)
        except Exception as fault:  # a test may fail in any way; the others still run
            failed += 1
            verdict = "FAIL"
            why = str(fault) if isinstance(fault, AssertionError) else traceback.format_exc()
        print(f"{verdict} {name} ({time.monotonic() - start:.1f} s) {why}", flush=True)
    print(f"{len(names) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    if failed or not names:
        return 1
    return 77 if skipped == len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
