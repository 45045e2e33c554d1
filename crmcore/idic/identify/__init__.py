"""Identify: records of many sources become customers, each with one golden record, one id and one view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.identify.access import AccessGate, AccessPolicy, RoleView
    from crmcore.idic.identify.accounts import Account, AccountTree, ContactRole
    from crmcore.idic.identify.households import HouseholdTable
    from crmcore.idic.identify.linkage_rules import Rules
    from crmcore.idic.identify.normalize import prepare
    from crmcore.idic.identify.people import People
    from crmcore.idic.identify.privacy import PrivacyDesk, PrivacyPolicy
    from crmcore.idic.identify.profile import Profile
    from crmcore.idic.identify.profiles import ProfileTable
    from crmcore.idic.identify.readers import read
    from crmcore.idic.identify.repository import MemoryProfiles, StoredProfiles
    from crmcore.idic.identify.resolver import Resolver
    from crmcore.idic.identify.resolving import resolve
    from crmcore.idic.identify.reviewing import Review
    from crmcore.idic.identify.schema import Schema
    from crmcore.idic.identify.survivorship import FieldRule, Strategy, SurvivorshipPlan
    from crmcore.idic.identify.vcards import read_vcards, write_vcards
    from crmcore.idic.identify.view import SingleCustomerView

__all__ = [
    "AccessGate",
    "AccessPolicy",
    "Account",
    "AccountTree",
    "ContactRole",
    "FieldRule",
    "HouseholdTable",
    "MemoryProfiles",
    "People",
    "PrivacyDesk",
    "PrivacyPolicy",
    "Profile",
    "ProfileTable",
    "Review",
    "Resolver",
    "RoleView",
    "Rules",
    "Schema",
    "SingleCustomerView",
    "StoredProfiles",
    "Strategy",
    "SurvivorshipPlan",
    "prepare",
    "read",
    "read_vcards",
    "resolve",
    "write_vcards",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AccessGate": ".access",
        "AccessPolicy": ".access",
        "Account": ".accounts",
        "AccountTree": ".accounts",
        "ContactRole": ".accounts",
        "FieldRule": ".survivorship",
        "HouseholdTable": ".households",
        "MemoryProfiles": ".repository",
        "People": ".people",
        "PrivacyDesk": ".privacy",
        "PrivacyPolicy": ".privacy",
        "Profile": ".profile",
        "ProfileTable": ".profiles",
        "Review": ".reviewing",
        "Resolver": ".resolver",
        "RoleView": ".access",
        "Rules": ".linkage_rules",
        "Schema": ".schema",
        "SingleCustomerView": ".view",
        "StoredProfiles": ".repository",
        "Strategy": ".survivorship",
        "SurvivorshipPlan": ".survivorship",
        "prepare": ".normalize",
        "read": ".readers",
        "read_vcards": ".vcards",
        "resolve": ".resolving",
        "write_vcards": ".vcards",
    },
)
