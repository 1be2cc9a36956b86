"""Rules on a table's behaviour that no single column can state, by the names that the catalog calls them by."""

from macro_assets.quality.rules import observations, statistics, tables, vintages
from macro_assets.quality.rules.registry import RULES, TOLERANCE, Arguments, Rule, apply, check_rule, check_rules, rule

MODULES = (tables, observations, statistics, vintages)
"""Modules in which rules stand."""

__all__ = ["MODULES", "RULES", "TOLERANCE", "Arguments", "Rule", "apply", "check_rule", "check_rules", "rule"]
