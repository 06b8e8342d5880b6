# SPDX-License-Identifier: Apache-2.0
"""What a data folder takes on the disk, looked at while a server works in it."""

import os
import threading


def taken(folder):
    """Bytes that a folder and all below it take, as `du` counts them."""
    total = 0
    for path, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


class Watch(threading.Thread):
    """The most that a folder took at any look, from entering until leaving."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.most, self.looks, self.stopping = folder, 0, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.01):
            self.most = max(self.most, taken(self.folder))
            self.looks += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()
