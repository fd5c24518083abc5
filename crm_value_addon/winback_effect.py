"""Whether a win-back plan did anything: those acted on beside similar customers left alone, chosen by lot."""

from math import sqrt

Z = 1.96  # 95 % of a normal distribution lies within
FEW = 30


def effect(acted, alone):
    """The difference that acting made.

    The interval of the difference of shares is Newcombe's (1998, method 10: hybrid of the Wilson scores); that of sales
    is the normal approximation for two means.

    :param dict acted: ``{"customers", "ordered", "sales", "squares"}`` of those acted on; ``squares`` is the sum of the
        squares of each one's sales
    :param dict alone: the same of those left alone
    :return: ``{"share", "low", "high", "sales", "sales_low", "sales_high", "few", "found"}``: difference of the shares
        that ordered and of sales for each customer, with 95 % intervals (that of sales is None where a group has one
        customer: how much they vary is not known); ``few`` where either group has less than ``FEW`` customers,
        ``found`` where the interval of the shares leaves out zero. None where a group is empty
    """
    if not acted["customers"] or not alone["customers"]:
        return None
    p1, low1, high1 = wilson(acted["ordered"], acted["customers"])
    p2, low2, high2 = wilson(alone["ordered"], alone["customers"])
    difference = p1 - p2
    low = difference - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    high = difference + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    means = [group["sales"] / group["customers"] for group in (acted, alone)]
    variances = [_variance_of_mean(group) for group in (acted, alone)]
    margin = None if None in variances else Z * sqrt(sum(variances))
    return {
        "share": difference,
        "low": low,
        "high": high,
        "sales": means[0] - means[1],
        "sales_low": None if margin is None else means[0] - means[1] - margin,
        "sales_high": None if margin is None else means[0] - means[1] + margin,
        "few": min(acted["customers"], alone["customers"]) < FEW,
        "found": beyond_chance(low, high),
    }


def beyond_chance(low, high):
    """Whether an interval leaves out zero."""
    return low > 0 or high < 0


def wilson(successes, trials):
    """A share and its 95 % interval (Wilson 1927, score interval)."""
    share = successes / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z * sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2)) / (1 + Z**2 / trials)
    return share, max(middle - half, 0.0), min(middle + half, 1.0)


def _variance_of_mean(group):
    """None where one customer alone does not tell how much they vary."""
    n = group["customers"]
    if n < 2:
        return None
    return max(group["squares"] - group["sales"] ** 2 / n, 0.0) / (n - 1) / n
