"""What the operators' monitoring reads."""

from relay.metrics import Metrics


def lines(metrics: Metrics) -> list[str]:
    return metrics.render().decode().splitlines()


def test_figures_are_shown_under_our_name() -> None:
    """Every figure of the relay begins with ``chapar_``, those of the process too."""
    metrics = Metrics()
    metrics.posts.labels("accepted").inc()
    metrics.accept_seconds.observe(0.004)
    metrics.redis_up.set(1)
    shown = lines(metrics)

    assert 'chapar_posts_total{outcome="accepted"} 1.0' in shown
    assert 'chapar_accept_seconds_bucket{le="0.005"} 1.0' in shown
    assert "chapar_redis_up 1.0" in shown
    assert all(line.startswith(("#", "chapar_")) for line in shown)


def test_two_relays_in_one_process_do_not_share_figures() -> None:
    """A registry belongs to its object: tests and tools can make as many as they like."""
    first, second = Metrics(), Metrics()
    first.pending.set(7)

    assert "chapar_pending 7.0" in lines(first)
    assert "chapar_pending 0.0" in lines(second)


def test_totals_of_the_workers_become_a_counter() -> None:
    """A total read twice counts once, and a total that starts anew (Redis lost it) is not subtracted."""
    metrics = Metrics()
    for total in (5, 5, 9, 2):
        metrics.delivered_in_total(kind="sms", state="delivered", total=total)

    assert 'chapar_deliveries_total{kind="sms",state="delivered"} 11.0' in lines(metrics)
