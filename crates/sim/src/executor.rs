//! A deterministic single-threaded executor: tasks run in the order in which they were woken.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::process::Pid;

/// A process's future; its output is the exit code.
pub(crate) type Task = Pin<Box<dyn Future<Output = i32>>>;

/// Woken tasks, in order, each with the event that woke it.
#[derive(Default)]
pub(crate) struct ReadyQueue(Mutex<ReadyState>);

#[derive(Default)]
struct ReadyState {
    order: VecDeque<(Pid, Option<u64>)>,
    cause: Option<u64>,
}

impl ReadyQueue {
    /// Puts the task at the end, unless it waits there already.
    pub(crate) fn push(&self, pid: Pid) {
        if let Ok(mut state) = self.0.lock()
            && !state.order.iter().any(|(queued, _)| *queued == pid)
        {
            let cause = state.cause;
            state.order.push_back((pid, cause));
        }
    }

    /// The next task to run, and what woke it.
    pub(crate) fn pop(&self) -> Option<(Pid, Option<u64>)> {
        self.0.lock().ok()?.order.pop_front()
    }

    /// Whether no task waits to run.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().map_or(true, |state| state.order.is_empty())
    }

    /// The event that is being handled: whoever is woken now, was woken by it.
    pub(crate) fn set_cause(&self, cause: Option<u64>) {
        if let Ok(mut state) = self.0.lock() {
            state.cause = cause;
        }
    }
}

struct TaskWaker {
    pid: Pid,
    ready: Arc<ReadyQueue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.pid);
    }
}

/// The tasks of all processes. They live outside the [`crate::World`], so that a task may borrow it.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: BTreeMap<Pid, (Task, Waker)>,
}

impl Tasks {
    /// Adds a task and marks it ready.
    pub(crate) fn insert(&mut self, pid: Pid, task: Task, ready: &Arc<ReadyQueue>) {
        let waker = Waker::from(Arc::new(TaskWaker {
            pid,
            ready: Arc::clone(ready),
        }));
        self.tasks.insert(pid, (task, waker));
        ready.push(pid);
    }

    /// Polls one task. `Some(code)` when it ended; it is gone then.
    pub(crate) fn poll(&mut self, pid: Pid) -> Option<i32> {
        let (task, waker) = self.tasks.get_mut(&pid)?;
        let waker = waker.clone();
        match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(code) => {
                self.tasks.remove(&pid);
                Some(code)
            }
            Poll::Pending => None,
        }
    }

    /// Takes a task out, to be dropped by the caller when nothing is borrowed.
    pub(crate) fn remove(&mut self, pid: Pid) -> Option<Task> {
        self.tasks.remove(&pid).map(|(task, _)| task)
    }
}
