"""The test cases that `eventsourcing` gives to who writes recorders, each on a ledger of its own.

FAIRWAY is the program.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from recorder import FollowingRecorder, Recorder


class Served:
    """A fresh ledger that is served for one test."""

    def setUp(self):
        super().setUp()
        self.home = tempfile.mkdtemp(dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.home)
        self.server = subprocess.Popen(
            [os.environ["FAIRWAY"], "ledger", "serve", "--listen", "127.0.0.1:0"],
            env={**os.environ, "FAIRWAY_HOME": self.home},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.stop)
        line = next(line for line in self.server.stderr if "http://" in line)
        self.url = "http://" + line.split("http://")[1].split()[0].rstrip("/")

    def stop(self):
        self.server.terminate()
        self.server.wait()
        self.server.stderr.close()


class TestApplicationRecorder(Served, ApplicationRecorderTestCase):
    def create_recorder(self):
        return Recorder(self.url)

    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()


class TestNonInterleaving(Served, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self):
        return Recorder(self.url)


class TestTrackingRecorder(Served, TrackingRecorderTestCase):
    def create_recorder(self):
        return FollowingRecorder(self.url)


class TestProcessRecorder(Served, ProcessRecorderTestCase):
    def create_recorder(self):
        return FollowingRecorder(self.url)


del ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase
del ProcessRecorderTestCase, TrackingRecorderTestCase

if __name__ == "__main__":
    unittest.main()
