"""What the benchmark says of a storm of logins: how many were let in, and how many were refused."""

from benchmarks.journeys import Logins, logins_of, said_of_logins


def test_logins_of_another_status_than_200_were_refused() -> None:
    out = 'stopped\nRESULT {"requests": 130, "seconds": 2.0, "unexpected": 90, "errors": 0}\n'
    assert logins_of(out) == Logins(answered=20.0, refused=45.0)


def test_the_results_say_the_median_of_both() -> None:
    said = said_of_logins([Logins(20, 45), Logins(30, 400), Logins(10, 40)])
    assert said.startswith("Of the logins, 20 in a second were answered and 45 were refused (503)")
