"""Several programs in one folder: one writes at a time, and each knows whether it is alone."""

import subprocess
import sys
import threading
import time

from litotes.core.folder_lock import Presence, locked

HOLDS = """
import sys, time
from pathlib import Path
from litotes.core.folder_lock import Presence
here = Presence(Path(sys.argv[1]))
print("in", flush=True)
time.sleep(60)
"""


def test_one_at_a_time(tmp_path):
    inside, most = [], []

    def work():
        with locked(tmp_path):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_lock_is_given_back_after_an_error(tmp_path):
    for _ in range(2):
        try:
            with locked(tmp_path):
                raise ValueError
        except ValueError:
            pass


def test_a_folder_that_is_not_there_locks_nothing(tmp_path):
    with locked(tmp_path / "none"):
        pass
    assert Presence(tmp_path / "none").is_alone()


def test_who_is_gone_leaves_the_others_alone(tmp_path):
    first, second = Presence(tmp_path), Presence(tmp_path)
    assert not first.is_alone()
    del first
    assert second.is_alone() and second.is_alone()


def test_a_program_that_is_killed_is_gone(tmp_path):
    program = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline() == "in\n"
        assert not Presence(tmp_path).is_alone()
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
    assert Presence(tmp_path).is_alone()
