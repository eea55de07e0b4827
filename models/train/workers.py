"""A training step by several processes, with the same result for any number of them.

A step is a list of parts, then a list of parameters. This process and its helpers take one part after another; every part has a
gradient buffer of its own, and the buffers are added in the order of the parts, so it makes no difference who computed what. Then they
take one parameter after another, and update it. Helpers are of low priority: they use what the other cores have left. A part that a
helper does not finish in time is computed again here; the bits are the same.
"""

import ctypes
import multiprocessing
import os
import signal
import time

import torch

from model import Model
from optimizer import Optimizer

PR_SET_PDEATHSIG = 1
LIMIT = 32  # parts of a step, and parameters
ROOM = 2048  # values of a part


def keep_to():
    """This process to the last core, so that it is never moved."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def keep_off():
    """This process to any core but the last, where there is another."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores - {max(cores)} or cores)


def own_session(niceness: int):
    """Low priority also where Linux counts niceness only among the processes of a session; ends with the process that made it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # terminate() ends it, whatever that process does about it
    os.nice(niceness)
    os.setsid()
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as f:
            f.write(str(niceness))
    except OSError:
        pass


class Workers:
    def __init__(self, model: Model, optimizer: Optimizer, helpers: int, niceness: int = 19):
        self.model, self.optimizer = model, optimizer
        assert len(optimizer.parameters) <= LIMIT
        self.buffers = torch.zeros(LIMIT * (helpers + 1), model.flat.numel())
        self.jobs = torch.zeros(LIMIT, 4, ROOM, dtype=torch.int32)
        self.sizes = torch.zeros(LIMIT, 3, dtype=torch.int64)  # sequences, tokens of each, targets
        self.done = torch.full((LIMIT,), -1, dtype=torch.int32)  # the buffer with the gradient of a part, or who updated a parameter
        self.loss, self.right = torch.zeros(LIMIT * (helpers + 1), dtype=torch.float64), torch.zeros(LIMIT * (helpers + 1), dtype=torch.int32)
        self.control = torch.zeros(4, dtype=torch.int64)  # round, next item, items, whether they are parameters
        self.used = torch.zeros(LIMIT + 1, dtype=torch.int32)  # how many buffers are to be added, and which
        self.rate = torch.zeros(2, dtype=torch.float64)  # step, factor of the rates
        self.pace = torch.zeros(helpers + 1, dtype=torch.float64)  # seconds of a part, a running mean
        for t in (self.buffers, self.jobs, self.sizes, self.done, self.loss, self.right, self.control, self.used, self.rate, self.pace):
            t.share_memory_()
        self.lock = multiprocessing.Lock()
        self.signals = [multiprocessing.Semaphore(0) for _ in range(helpers)]
        self.shared = 0
        self.processes = []
        for i, wake in enumerate(self.signals):
            process = multiprocessing.Process(target=self._help, args=(i + 1, wake, niceness), daemon=True)
            process.start()
            self.processes.append(process)

    def _claim(self, who: int):
        """(round, number, what to do) of the next item, or None. A helper leaves the last ones to this process when it is slower."""
        with self.lock:
            number, at, count, parameters = self.control.tolist()
            need = 1 if who == 0 else max(1, round(float(self.pace[who] / max(float(self.pace[0]), 1e-3))))
            if count - at < need:
                self.pace[who] *= 0.9 if count else 1  # what was slow once is tried again
                return None
            self.control[1] += 1
            if parameters:
                return number, at, lambda: self._update(who, at)
            job = self._job(at)
            return number, at, lambda: self._run(who, at, job)

    def _job(self, at: int):
        b, t, m = self.sizes[at].tolist()
        ids = self.jobs[at, 0, : b * t].view(b, t).clone()
        rows, targets = self.jobs[at, 1, :m].clone(), self.jobs[at, 2, :m].clone()
        return ids, rows, targets, self.jobs[at, 3, :m].clone().view(torch.float32)

    def _run(self, who: int, at: int, job) -> int:
        start = time.time()
        buffer = who * LIMIT + at
        self.right[buffer] = 0
        self.model.use(self.buffers[buffer])
        self.loss[buffer] = self.model.step(*job, self.right[buffer : buffer + 1])
        self.pace[who] += (time.time() - start - self.pace[who]) * (0.2 if self.pace[who] else 1)
        return buffer

    def _update(self, who: int, at: int) -> int:
        step, factor = self.rate.tolist()
        self.optimizer.update(at, self.buffers, self.used[1 : 1 + int(self.used[0])], int(step), factor)
        return who

    def _help(self, who: int, wake, niceness: int):
        torch.set_num_threads(1)
        own_session(niceness)
        keep_off()
        while True:
            wake.acquire()
            while claim := self._claim(who):
                number, at, do = claim
                result = do()
                with self.lock:
                    if self.control[0] == number and self.done[at] < 0:
                        self.done[at] = result

    def _round(self, items: int, parameters: bool):
        """Hands out a round of items and does what nobody else takes."""
        with self.lock:
            self.done[:] = -1
            self.control.copy_(torch.tensor([int(self.control[0]) + 1, 0, items, int(parameters)]))
        for wake in self.signals:
            wake.release()
        while claim := self._claim(0):
            _, at, do = claim
            self.done[at] = do()

    def step(self, parts) -> tuple[float, int]:
        """The gradient of a step; returns (sum of the losses, number of right targets). `update` comes next."""
        assert len(parts) <= LIMIT
        for i, (ids, rows, targets, weights) in enumerate(parts):
            self.sizes[i] = torch.tensor([ids.shape[0], ids.shape[1], rows.numel()])
            for j, x in enumerate((ids.reshape(-1), rows, targets, weights.view(torch.int32))):
                self.jobs[i, j, : x.numel()] = x
        self._round(len(parts), False)
        patience = time.time() + 0.5 * float(self.pace[0])
        for at in range(len(parts)):
            while self.done[at] < 0 and time.time() < patience:
                time.sleep(0.001)
            if self.done[at] < 0:
                buffer = self._run(0, at, self._job(at))
                with self.lock:
                    self.done[at] = buffer
        with self.lock:
            used = self.done[: len(parts)].clone()
            self.control[0] += 1  # what comes later is too late
        self.shared += int((used >= LIMIT).sum())
        self.used[0], self.used[1 : 1 + len(used)] = len(used), used
        return float(self.loss[used.long()].sum()), int(self.right[used.long()].sum())

    def update(self, step: int, factor: float):
        """One step of the optimizer along the gradient of `step`."""
        self.rate.copy_(torch.tensor([step, factor], dtype=torch.float64))
        count = len(self.optimizer.parameters)
        self._round(count, True)
        while bool((self.done[:count] < 0).any()):
            time.sleep(0.0002)

    def stop(self):
        for process in self.processes:
            process.terminate()
