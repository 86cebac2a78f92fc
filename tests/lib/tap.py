# SPDX-License-Identifier: BSD-3-Clause
"""TAP for tests in Python."""
import time
import traceback


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, condition, name, detail=''):
        self.count += 1
        self.failed += not condition
        print(f'{"ok" if condition else "not ok"} {self.count} - {name}', flush=True)
        if not condition:
            self.note(detail)
        return bool(condition)

    def equal(self, got, want, name):
        return self.ok(got == want, name, f'got {got!r}, want {want!r}')

    def note(self, text):
        for line in str(text).splitlines():
            print(f'# {line}', flush=True)

    def case(self, name, function, *args):
        """Runs function(*args): passes unless it raises or gives False. Long ones show their time."""
        begin = time.monotonic()
        try:
            return self.ok(function(*args) is not False, name)
        except Exception:  # any failure is this test's failure, and the next one runs
            return self.ok(False, name, traceback.format_exc())
        finally:
            if (took := time.monotonic() - begin) > 5:
                self.note(f'{name}: {took:.0f} s')

    def done(self):
        """Ends the suite with its plan; gives the exit status."""
        print(f'1..{self.count}', flush=True)
        return 1 if self.failed else 0
