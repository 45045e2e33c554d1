"""Event-sourced state machines: what may happen to a complaint, a deal, a review or a task, and what did."""

from crmcore.lifecycle.workflow import Timer, Transition, Workflow
from crmcore.lifecycle.deciding import *
from crmcore.lifecycle.commands import Command
