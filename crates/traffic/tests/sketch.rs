//! Sketches: how near quantiles are, and that parts fit together in any order.

use hauberk_traffic::{MAX_RELATIVE_ERROR, Sketch};
use proptest::prelude::*;

fn sketch(values: &[u64]) -> Sketch {
    let mut sketch = Sketch::default();
    for value in values {
        sketch.record(*value);
    }
    sketch
}

fn merged(one: &Sketch, other: &Sketch) -> Sketch {
    let mut merged = one.clone();
    merged.merge(other);
    merged
}

#[test]
fn an_empty_sketch_has_no_quantiles() {
    assert_eq!(Sketch::default().quantile(0.5), None);
    assert_eq!(Sketch::default().count(), 0);
    assert_eq!(Sketch::from_text("").unwrap(), Sketch::default());
}

#[test]
fn what_is_too_small_or_large_is_counted_at_the_end_of_the_scale() {
    let ends = sketch(&[0, 1, u64::MAX, 1 << 36]);
    assert_eq!(ends.count(), 4);
    assert!((ends.quantile(0.0).unwrap() - 1.0).abs() <= MAX_RELATIVE_ERROR);
    assert!(ends.quantile(1.0).unwrap() > 6e10);
}

#[test]
fn text_of_another_form_is_refused() {
    for text in [
        "1",
        "a:1",
        "1:a",
        "1:0",
        "2:1 1:1",
        "1:1 1:1",
        "628:1",
        "-1:1",
        "1:-1",
        "1:1,2:1",
        "1:99999999999999999999",
    ] {
        assert!(Sketch::from_text(text).is_err(), "{text}");
    }
    let full = Sketch::from_text("1:18446744073709551615 2:18446744073709551615").unwrap();
    assert_eq!(full.count(), u64::MAX);
    assert!(full.quantile(1.0).is_some());
}

fn values() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(
        prop_oneof![1..2_000_u64, 1..60_000_000_u64, 1..(1_u64 << 36)],
        0..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quantile_is_as_near_as_promised(mut values in values(), quantile in 0.0..=1.0_f64) {
        let found = sketch(&values).quantile(quantile);
        values.sort_unstable();
        let Some(last) = values.len().checked_sub(1) else {
            prop_assert_eq!(found, None);
            return Ok(());
        };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let exact = values[(quantile * last as f64) as usize] as f64;
        let error = (found.unwrap() - exact).abs() / exact;
        prop_assert!(error <= MAX_RELATIVE_ERROR, "{} for {}", found.unwrap(), exact);
    }

    #[test]
    fn merging_commutes_associates_and_equals_counting_at_once(one in values(), other in values(), third in values()) {
        let (a, b, c) = (sketch(&one), sketch(&other), sketch(&third));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b), sketch(&[one, other].concat()));
        prop_assert_eq!(merged(&a, &Sketch::default()), a);
    }

    #[test]
    fn what_is_written_is_read_again(values in values()) {
        let sketch = sketch(&values);
        prop_assert_eq!(Sketch::from_text(&sketch.to_text()).unwrap(), sketch);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9: a]{0,40}|\\PC{0,40}") {
        let _ = Sketch::from_text(&text);
    }
}
