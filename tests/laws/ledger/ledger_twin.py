"""The slow reference of the ledger: every single point is a token that carries its own state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crmcore.ledger import IfExpired, IfSpent, Kind, Posting, SpendOrder


class Refused(Exception):
    """The twin would not accept the posting."""


class Twin:
    """One account, token by token."""

    def __init__(self) -> None:
        self.tokens: list[dict[str, Any]] = []  # in the order in which they were credited
        self.lots: dict[str, dict[str, Any]] = {}
        self.holds: dict[str, dict[str, Any]] = {}
        self.ended: set[str] = set()
        self.payments: dict[str, list[dict[str, Any]]] = {}
        self.spent_by: dict[str, str] = {}
        self.now: datetime | None = None

    # time

    def pass_time(self, to: datetime) -> None:
        instants = {h["until"] for h in self.holds.values() if h["until"] and h["until"] <= to}
        for lot in self.lots.values():
            opens = lot["opens"]
            if isinstance(opens, datetime) and opens <= to and (self.now is None or opens > self.now):
                instants.add(opens)
        for instant in sorted(instants):
            for name in [n for n, h in self.holds.items() if h["until"] and h["until"] <= instant]:
                for token in self.holds.pop(name)["tokens"]:
                    self.give_back(token)
                self.ended.add(name)
            self.repay(instant)

    def state(self, token: dict[str, Any], at: datetime) -> str:
        if token["state"] != "left":
            return str(token["state"])
        lot = self.lots[token["lot"]]
        if lot["expires"] and lot["expires"] <= at:
            return "expired"
        if lot["opens"] == "confirmation" or (lot["opens"] and lot["opens"] > at):
            return "pending"
        return "active"

    def count(self, at: datetime) -> dict[str, int]:
        self.pass_time(at)
        names = ("active", "pending", "reserved", "spent", "expired", "reversed", "transferred", "repaid")
        found = dict.fromkeys(names, 0)
        for token in self.tokens:
            found[self.state(token, at)] += 1
        return {**found, "debt": sum(lot["owed"] for lot in self.lots.values())}

    # pieces

    def key(self, name: str) -> Any:
        lot = self.lots[name]
        return (lot["expires"] is None, lot["expires"] or lot["earned"], lot["earned"], name)

    def give_back(self, token: dict[str, Any]) -> bool:
        lot = self.lots[token["lot"]]
        for claim in ("owed", "forgiven"):
            if lot[claim]:
                lot[claim] -= 1
                token["state"] = "reversed"
                return False
        token["state"] = "left"
        return True

    def repay(self, at: datetime) -> None:
        while True:
            owing = sorted((n for n, lot in self.lots.items() if lot["owed"]), key=self.key)
            able = self.payable(at, SpendOrder.EARLIEST_EXPIRY, ())
            if not owing or not able:
                return
            able[0]["state"] = "repaid"
            self.lots[owing[0]]["owed"] -= 1
            self.lots[owing[0]]["paid"] += 1

    def payable(self, at: datetime, order: SpendOrder, names: tuple[str, ...]) -> list[dict[str, Any]]:
        able = [t for t in self.tokens if self.state(t, at) == "active"]
        if names:
            if any(n not in self.lots for n in names):
                raise Refused
            return [t for n in names for t in able if t["lot"] == n]
        if order is SpendOrder.EARLIEST_EXPIRY:
            return sorted(able, key=lambda t: self.key(t["lot"]))
        able.sort(key=lambda t: t["lot"])
        return (
            sorted(able, key=lambda t: self.lots[t["lot"]]["earned"], reverse=False)
            if order is SpendOrder.FIRST_EARNED
            else sorted(able, key=lambda t: -self.lots[t["lot"]]["earned"].timestamp())
        )

    def take(self, p: Posting, amount: int) -> list[dict[str, Any]]:
        able = self.payable(p.at, p.order, p.lots)
        if len(able) < amount:
            raise Refused
        return able[:amount]

    def credit(self, name: str, n: int, *, earned: datetime, opens: Any, expires: datetime | None) -> None:
        self.lots[name] = {
            "earned": earned, "opens": opens, "expires": expires, "owed": 0, "forgiven": 0, "paid": 0, "from": "",
        }  # fmt: skip
        self.tokens += [{"lot": name, "state": "left"} for _ in range(n)]

    # postings

    def post(self, p: Posting) -> list[dict[str, Any]]:
        """Apply; returns the tokens that a transfer moves."""
        if self.now is not None and p.at < self.now:
            raise Refused
        self.pass_time(p.at)
        self.now = p.at
        moved = getattr(self, p.kind.name.lower())(p) or []
        self.repay(p.at)
        return moved

    def earn(self, p: Posting) -> None:
        opens = "confirmation" if p.needs_confirmation else p.available_at
        self.credit(p.id, p.amount, earned=p.at, opens=opens, expires=p.expires_at)

    def receive(self, p: Posting) -> None:
        self.credit(p.id, p.amount, earned=p.earned_at, opens=None, expires=p.expires_at)

    def adjust(self, p: Posting) -> None:
        if p.amount > 0:
            self.credit(p.id, p.amount, earned=p.at, opens=None, expires=p.expires_at)
        else:
            for token in self.take(p, -p.amount):
                token["state"] = "reversed"

    def spend(self, p: Posting) -> None:
        self.payments[p.id] = self.take(p, p.amount)
        for token in self.payments[p.id]:
            token["state"] = "spent"

    def transfer(self, p: Posting) -> list[dict[str, Any]]:
        tokens = self.take(p, p.amount)
        for token in tokens:
            token["state"] = "transferred"
        return [self.lots[t["lot"]] for t in tokens]

    def reserve(self, p: Posting) -> None:
        tokens = self.take(p, p.amount)
        for token in tokens:
            token["state"] = "reserved"
        self.holds[p.id] = {"until": p.until, "tokens": tokens}

    def commit(self, p: Posting) -> None:
        if p.of not in self.holds or (p.amount or 0) > len(self.holds[p.of]["tokens"]):
            raise Refused
        tokens = self.holds.pop(p.of)["tokens"]
        self.ended.add(p.of)
        n = len(tokens) if p.amount is None else p.amount
        self.payments[p.id] = tokens[:n]
        for token in tokens[:n]:
            token["state"] = "spent"
        for token in tokens[n:]:
            self.give_back(token)

    def release(self, p: Posting) -> None:
        if p.of not in self.holds:
            raise Refused
        self.ended.add(p.of)
        for token in self.holds.pop(p.of)["tokens"]:
            self.give_back(token)

    def reverse(self, p: Posting) -> None:
        there = self.payments.get(p.of, [])
        n = len(there) if p.amount is None else p.amount
        if not n or n > len(there):
            raise Refused
        back = there[len(there) - n :]
        for token in reversed(back):
            name = token["lot"]
            expires = self.lots[name]["expires"]
            if not self.give_back(token) or not expires or expires > p.at or p.if_expired is IfExpired.EXPIRED:
                continue
            if p.if_expired is IfExpired.REFUSE:
                raise Refused
            self.renew(p, token)
        del there[len(there) - n :]

    def renew(self, p: Posting, token: dict[str, Any]) -> None:
        old = token["lot"]
        name = f"{p.id}/{old}"
        if name not in self.lots:
            root = self.lots[old]["from"] or old
            self.credit(name, 0, earned=self.lots[old]["earned"], opens=None, expires=p.expires_at)
            self.lots[name]["from"] = root
        token["lot"] = name

    def claw_back(self, p: Posting) -> None:
        if p.of not in self.lots:
            raise Refused
        names = [p.of, *(n for n, lot in self.lots.items() if lot["from"] == p.of)]

        def claims(name: str) -> int:
            return sum(self.lots[name][c] for c in ("owed", "forgiven", "paid"))

        open_ = [t for t in self.tokens if t["lot"] in names and t["state"] != "reversed"]
        able = len(open_) - sum(map(claims, names))
        need = able if p.amount is None else p.amount
        left = [t for n in names for t in open_ if t["lot"] == n and t["state"] == "left"]
        if not need or need > able or (need > len(left) and p.if_spent is IfSpent.REFUSE):
            raise Refused
        for token in left[:need]:
            token["state"] = "reversed"
        need -= min(need, len(left))
        for name in names:
            used = sum(t["lot"] == name and t["state"] not in ("left", "reversed") for t in self.tokens)
            x = min(max(used - claims(name), 0), need)
            self.lots[name]["owed" if p.if_spent is IfSpent.DEBT else "forgiven"] += x
            need -= x

    def confirm(self, p: Posting) -> None:
        self._pending(p)
        self.lots[p.of]["opens"] = None

    def cancel(self, p: Posting) -> None:
        for token in self._pending(p):
            token["state"] = "reversed"

    def _pending(self, p: Posting) -> list[dict[str, Any]]:
        tokens = [t for t in self.tokens if t["lot"] == p.of and self.state(t, p.at) == "pending"]
        if not tokens:
            raise Refused
        return tokens


assert Kind.CLAW_BACK.name.lower() == "claw_back"
