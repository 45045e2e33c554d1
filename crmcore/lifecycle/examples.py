"""Two small workflows to learn from; rooms bring their own."""

from __future__ import annotations

from crmcore.lifecycle.workflow import CLOCK, OPENED, Timer, Transition, Workflow

__all__ = ["complaint", "deal"]


def complaint() -> Workflow:
    """A complaint: answered, asked back, resolved, confirmed by the customer or closed by itself after three days.

    Examples
    --------
    >>> print(complaint())
    complaint 1: open (first), waiting, resolved, closed (last)
      ask: open -> waiting, by agent
      answer: waiting -> open, by customer
      resolve: open, waiting -> resolved, by agent, needs cause
      reopen: resolved -> open, by customer, needs reason
      confirm: resolved -> closed, by customer
      close: resolved -> closed, by clock
      note: * -> same
      escalate: open, waiting -> same, by clock
      overdue: escalate after opened 1 d in open, waiting
      unconfirmed: close after 3 d in resolved
    """
    return Workflow(
        "complaint",
        1,
        ["open", "waiting", "resolved", "closed"],
        "open",
        [
            Transition("ask", "open", "waiting", actors="agent", emits="customer asked"),
            Transition("answer", "waiting", "open", actors="customer", emits="customer answered"),
            Transition("resolve", ["open", "waiting"], "resolved", actors="agent", needs="cause", emits="resolved"),
            Transition("reopen", "resolved", "open", actors="customer", needs="reason", emits="reopened"),
            Transition("confirm", "resolved", "closed", actors="customer", sets={"confirmed": True}, emits="closed"),
            Transition("close", "resolved", "closed", actors=CLOCK, sets={"confirmed": False}, emits="closed"),
            Transition("note", "*", emits="note written"),
            Transition("escalate", ["open", "waiting"], actors=CLOCK, sets={"escalated": True}, emits="escalated"),
        ],
        [
            Timer("overdue", ["open", "waiting"], "escalate", after_days=1, start=OPENED),
            Timer("unconfirmed", "resolved", "close", after_days=3),
        ],
        ["closed"],
    )


def deal() -> Workflow:
    """A deal on its way through the stages of a pipeline; it can be lost from everywhere, with a reason.

    Examples
    --------
    >>> deal().commands("offer sent")
    ('win', 'lose', 'estimate')
    """
    return Workflow(
        "deal",
        1,
        ["lead", "qualified", "offer sent", "won", "lost"],
        "lead",
        [
            Transition("qualify", "lead", "qualified", needs="owner"),
            Transition("send offer", "qualified", "offer sent", needs="amount_minor", emits="offer sent"),
            Transition("win", "offer sent", "won"),
            Transition("lose", "*", "lost", needs="reason"),
            Transition("estimate", "*", needs="probability"),
        ],
        terminal=["won", "lost"],
    )
