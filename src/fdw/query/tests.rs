use crate::fdw::query::pushdown::{Pushed, push};
use crate::fdw::table::columns::Kind;
use crate::pg::fdw::{Comparison, Constant, Operand, Predicate, Scalar};

fn pushed(kind: Kind, predicate: &Predicate) -> Pushed {
    push(predicate, &|_| Some(("f", kind)), &[])
}

/// The domain of a comparison, with a mark if it is not exact.
fn compare(kind: Kind, comparison: Comparison, scalar: Scalar) -> String {
    let operand = Operand::Constant(Constant::One(scalar));
    shown(pushed(kind, &Predicate::Compare(1, comparison, operand)))
}

fn shown(pushed: Pushed) -> String {
    let domain = pushed.condition.into_domain().into_value().into_json().to_string();
    if pushed.exact { domain } else { format!("~{domain}") }
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

const DAY: i64 = 86_400_000_000;

#[test]
fn times_are_half_open_windows_of_whole_seconds() {
    let time = |comparison, time| compare(Kind::Datetime, comparison, Scalar::Time(time));
    let second = 1_000_000;
    assert_eq!(time(Comparison::GreaterOrEqual, 1), r#"[["f",">=","2000-01-01 00:00:01"]]"#);
    assert_eq!(time(Comparison::Greater, second - 1), r#"[["f",">=","2000-01-01 00:00:01"]]"#);
    assert_eq!(time(Comparison::Greater, second), r#"[["f",">=","2000-01-01 00:00:02"]]"#);
    assert_eq!(time(Comparison::LessOrEqual, 0), r#"[["f","<","2000-01-01 00:00:01"]]"#);
    assert_eq!(time(Comparison::Less, -1), r#"[["f","<","2000-01-01 00:00:00"]]"#);
    assert_eq!(time(Comparison::Equal, 1), r#"[[0,"=",1]]"#);
    assert_eq!(time(Comparison::NotEqual, 1), r#"[["f","!=",false]]"#);
}

#[test]
fn what_odoo_cannot_hold_is_before_or_after_all_of_it() {
    let set = r#"[["f","!=",false]]"#;
    let never = r#"[[0,"=",1]]"#;
    let time = |comparison, time| compare(Kind::Datetime, comparison, Scalar::Time(time));
    for after in [i64::MAX, 365_250 * 20 * DAY] {
        assert_eq!(time(Comparison::Less, after), set);
        assert_eq!(time(Comparison::NotEqual, after), set);
        assert_eq!(time(Comparison::GreaterOrEqual, after), never);
        assert_eq!(time(Comparison::Equal, after), never);
    }
    for before in [i64::MIN, -365_250 * 3 * DAY] {
        assert_eq!(time(Comparison::Greater, before), set);
        assert_eq!(time(Comparison::LessOrEqual, before), never);
    }
    let date = |comparison, days| compare(Kind::Date, comparison, Scalar::Date(days));
    assert_eq!(date(Comparison::Less, i32::MAX), set);
    assert_eq!(date(Comparison::Greater, i32::MIN), set);
    assert_eq!(date(Comparison::Equal, i32::MAX), never);
    assert_eq!(date(Comparison::Equal, -1), r#"[["f","=","1999-12-31"]]"#);
}

#[test]
fn zero_is_null_too() {
    let number = |comparison, n| compare(Kind::Integer, comparison, Scalar::Integer(n));
    assert_eq!(number(Comparison::Equal, 5), r#"[["f","=",5]]"#);
    assert_eq!(number(Comparison::Equal, 0), r#"["|",["f","=",0],["f","=",false]]"#);
    assert_eq!(number(Comparison::Greater, -1), r#"["|",["f",">",-1],["f","=",false]]"#);
    assert_eq!(number(Comparison::Greater, 0), r#"[["f",">",0]]"#);
    assert_eq!(number(Comparison::NotEqual, 0), r#"[["f","!=",0],["f","!=",false]]"#);
    // What no integer field can hold.
    let beyond = i64::from(i32::MAX) + 1;
    assert_eq!(number(Comparison::Less, beyond), "[]");
    assert_eq!(number(Comparison::NotEqual, beyond), "[]");
    assert_eq!(number(Comparison::Equal, beyond), r#"[[0,"=",1]]"#);
    assert_eq!(number(Comparison::Less, -beyond - 1), r#"[[0,"=",1]]"#);
}

#[test]
fn numbers_are_asked_for_with_a_margin() {
    let kind = Kind::Decimal { step: 0.01 };
    let number = |comparison, n: &str| compare(kind, comparison, Scalar::Decimal(n.into()));
    assert_eq!(number(Comparison::Greater, "100"), r#"~[["f",">=",99.9799999]]"#);
    assert_eq!(number(Comparison::NotEqual, "100"), "~[]");
    assert_eq!(number(Comparison::Equal, "NaN"), "~[]");
    assert_eq!(number(Comparison::Less, "Infinity"), "~[]");
}

#[test]
fn texts_that_change_on_the_way_are_not_sent() {
    let equal = |value: &str| compare(Kind::Text, Comparison::Equal, text(value));
    assert_eq!(equal("a"), r#"[["f","=","a"]]"#);
    assert_eq!(equal(""), r#"~[["f","=",""]]"#);
    for changed in ["a\nb", "a\r", "\u{7}", "tab\t", "\u{ffff}", "a\u{fffe}"] {
        assert_eq!(equal(changed), "~[]");
    }
    assert_eq!(compare(Kind::Text, Comparison::Less, text("a")), "~[]");
}

#[test]
fn patterns() {
    let like = |negated, ignore_case, pattern: &str| {
        let pattern = Operand::Constant(Constant::One(text(pattern)));
        shown(pushed(Kind::Text, &Predicate::Like { column: 1, negated, ignore_case, pattern }))
    };
    assert_eq!(like(false, false, r"a\%"), r#"~[["f","=like","a\\%"]]"#);
    assert_eq!(like(false, true, "a%"), r#"~[["f","=ilike","a%"]]"#);
    assert_eq!(like(false, false, ""), r#"~[["f","=",""]]"#);
    for ignore_case in [false, true] {
        assert_eq!(like(true, ignore_case, "a%"), r#"~[["f","=like","%"]]"#);
        for pattern in [r"a\", "é%", "a_", "a\n"] {
            assert_eq!(like(false, ignore_case, pattern), "~[]", "{pattern}");
        }
    }
}

#[test]
fn lists() {
    let listed = |kind, negated, items: Vec<Option<Scalar>>| {
        let list = Operand::Constant(Constant::Many(items));
        shown(pushed(kind, &Predicate::Listed { column: 1, negated, list }))
    };
    let ids = |ids: &[i64]| ids.iter().map(|id| Some(Scalar::Integer(*id))).collect::<Vec<_>>();
    // Odoo takes 0 for no record; some views have negative ids; a reference has 32 bits.
    assert_eq!(listed(Kind::Id, false, ids(&[3, 0, -1])), r#"[["f","in",[3,-1]]]"#);
    let beyond = i64::from(i32::MAX) + 1;
    assert_eq!(listed(Kind::Many2one, false, ids(&[beyond, 0])), r#"[[0,"=",1]]"#);
    assert_eq!(listed(Kind::Integer, true, ids(&[beyond])), "[]");
    assert_eq!(listed(Kind::Id, false, Vec::new()), r#"[[0,"=",1]]"#);
    assert_eq!(listed(Kind::Id, true, Vec::new()), "[]");
    assert_eq!(listed(Kind::Many2one, true, vec![None]), r#"[[0,"=",1]]"#);
    let zero = r#"["|","|",["f","in",[7]],["f","=",0],["f","=",false]]"#;
    assert_eq!(listed(Kind::Integer, false, ids(&[0, 7])), zero);
    assert_eq!(listed(Kind::Text, true, vec![Some(text(""))]), "~[]");
    assert_eq!(listed(Kind::Id, false, ids(&vec![1; 20_000])), "~[]");
}

#[test]
fn html_is_compared_with_nothing() {
    let equal =
        Predicate::Compare(1, Comparison::NotEqual, Operand::Constant(Constant::One(text("a"))));
    let null = |negated| Predicate::Null { column: 1, negated };
    assert_eq!(shown(pushed(Kind::Html, &equal)), "~[]");
    assert_eq!(shown(pushed(Kind::Html, &null(true))), "~[]");
    assert_eq!(shown(pushed(Kind::Html, &null(false))), r#"~[["f","=",false]]"#);
}

#[test]
fn null_operands_meet_nothing() {
    let null = Operand::Constant(Constant::Null);
    for kind in [Kind::Id, Kind::Text, Kind::Datetime, Kind::Many2one] {
        let predicate = Predicate::Compare(1, Comparison::NotEqual, null.clone());
        assert_eq!(shown(pushed(kind, &predicate)), r#"[[0,"=",1]]"#);
    }
}

#[test]
fn what_is_not_known_yet_is_exact_only_if_all_its_values_are() {
    let later = |kind, comparison| {
        shown(pushed(kind, &Predicate::Compare(1, comparison, Operand::Expression(0))))
    };
    for kind in [Kind::Boolean, Kind::Many2one] {
        assert_eq!(later(kind, Comparison::NotEqual), r#"[["f","!=","$1"]]"#);
        assert_eq!(later(kind, Comparison::Less), "~[]");
    }
    assert_eq!(later(Kind::Integer, Comparison::Less), r#"[["f","<","$1"]]"#);
}

#[test]
fn what_is_not_known_yet_is_left_out_of_estimates() {
    let later = Predicate::Compare(1, Comparison::Equal, Operand::Expression(0));
    let now = Predicate::Flag(2, true);
    let all = Predicate::All(vec![later.clone(), now.clone()]);
    assert_eq!(all.known(), Predicate::All(vec![Predicate::All(Vec::new()), now.clone()]));
    assert_eq!(Predicate::Any(vec![later, now]).known(), Predicate::All(Vec::new()));
}
