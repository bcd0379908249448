use super::*;
use crate::odoo::wire::{json, xmlrpc};

/// Decodes records written as `<member>` lists.
fn page(fields: &[(&str, FieldType)], records: &[&str]) -> Result<Page, String> {
    let records: String = records
        .iter()
        .map(|members| format!("<value><struct>{members}</struct></value>"))
        .collect();
    let body = format!(
        "<?xml version='1.0'?><methodResponse><params><param><value><array><data>{records}\
         </data></array></value></param></params></methodResponse>"
    );
    let mut sink = PageSink::new(fields.iter().copied());
    xmlrpc::decode(&mut body.as_bytes(), &mut sink).map_err(|error| format!("{error:?}"))?;
    sink.finish().map_err(|refusal| refusal.0.into_string())
}

fn member(name: &str, value: &str) -> String {
    format!("<member><name>{name}</name><value>{value}</value></member>")
}

fn one(field_type: FieldType, value: &str) -> Result<Cells, String> {
    let record = member("id", "<int>1</int>") + &member("x", value);
    page(&[("x", field_type)], &[&record]).map(|page| page.column("x").unwrap().clone())
}

fn text(text: &str) -> Result<Cells, String> {
    Ok(Cells::Texts([Some(text)].into_iter().collect()))
}

const FALSE: &str = "<boolean>0</boolean>";

#[test]
fn the_field_type_decides_what_false_means() {
    assert_eq!(one(FieldType::Boolean, FALSE), Ok(Cells::Booleans(vec![Some(false)])));
    assert_eq!(one(FieldType::Many2one, FALSE), Ok(Cells::Integers(vec![None])));
    let null = Ok(Cells::Texts([None].into_iter().collect()));
    for field_type in
        [FieldType::Text, FieldType::Date, FieldType::Datetime, FieldType::Decimal(None)]
    {
        assert_eq!(one(field_type, FALSE), null);
    }
}

#[test]
fn numbers_keep_their_text_and_big_integers_their_value() {
    assert_eq!(one(FieldType::Decimal(None), "<double>19.99</double>"), text("19.99"));
    assert_eq!(one(FieldType::Decimal(None), "<double>1e-05</double>"), text("1e-05"));
    assert_eq!(one(FieldType::Decimal(None), "<double>nan</double>"), text("NaN"));
    assert_eq!(one(FieldType::Decimal(None), "<int>7</int>"), text("7"));
    let big = one(FieldType::Integer, "<double>5000000000.0</double>");
    assert_eq!(big, Ok(Cells::Integers(vec![Some(5_000_000_000)])));
    assert!(one(FieldType::Integer, "<double>1.5</double>").is_err());
    assert!(one(FieldType::Integer, "<double>1e300</double>").is_err());
}

#[test]
fn dates_are_checked_and_times_are_utc() {
    assert_eq!(one(FieldType::Date, "<string>2024-02-29</string>"), text("2024-02-29"));
    assert!(one(FieldType::Date, "<string>2023-02-29</string>").is_err());
    assert_eq!(
        one(FieldType::Datetime, "<string>2024-02-29 23:59:59</string>"),
        text("2024-02-29 23:59:59+00")
    );
    assert!(one(FieldType::Datetime, "<string>2024-02-29</string>").is_err());
}

#[test]
fn relations_become_ids() {
    let pair =
        "<array><data><value><int>7</int></value><value><string>n</string></value></data></array>";
    assert_eq!(one(FieldType::Many2one, pair), Ok(Cells::Integers(vec![Some(7)])));
    assert_eq!(one(FieldType::Many2one, "<int>7</int>"), Ok(Cells::Integers(vec![Some(7)])));
    let list = "<array><data><value><int>1</int></value><value><int>2</int></value></data></array>";
    let Ok(Cells::Lists(lists)) = one(FieldType::ToMany, list) else { panic!() };
    assert_eq!(lists.get(0), [1, 2]);
    assert!(one(FieldType::Text, list).is_err());
}

#[test]
fn json_is_kept_whole() {
    let nested = format!(
        "<struct>{}</struct>",
        member("a", "<array><data><value><int>1</int></value></data></array>")
    );
    assert_eq!(one(FieldType::Json, &nested), text(r#"{"a":[1]}"#));
}

#[test]
fn records_may_lack_fields_reorder_them_and_bring_others() {
    let first = member("id", "<int>1</int>")
        + &member("other", "<struct></struct>")
        + &member("b", "<int>2</int>");
    let second =
        member("b", "<int>3</int>") + &member("a", "<int>4</int>") + &member("id", "<int>2</int>");
    let page =
        page(&[("a", FieldType::Integer), ("b", FieldType::Integer)], &[&first, &second]).unwrap();
    assert_eq!(page.ids(), [1, 2]);
    assert_eq!(page.column("a"), Some(&Cells::Integers(vec![None, Some(4)])));
    assert_eq!(page.column("b"), Some(&Cells::Integers(vec![Some(2), Some(3)])));
}

#[test]
fn the_memory_of_columns_is_known() {
    let fields = [
        ("b", FieldType::Boolean),
        ("t", FieldType::Text),
        ("l", FieldType::ToMany),
        ("m", FieldType::Many2one),
    ];
    assert_eq!(Page::new(fields).bytes(), 0);
    let list = "<array><data><value><int>1</int></value></data></array>".to_owned();
    let record = |id: usize| {
        member("id", &format!("<int>{id}</int>"))
            + &member("b", "<boolean>1</boolean>")
            + &member("t", &format!("<string>{}</string>", "x".repeat(1000)))
            + &member("l", &list)
            + &member("m", "<int>7</int>")
    };
    let records: Vec<String> = (1..=100).map(record).collect();
    let bytes = |rows: usize| {
        let records: Vec<&str> = records[..rows].iter().map(String::as_str).collect();
        page(&fields, &records).unwrap().bytes()
    };
    // Per row: two integers, a boolean, a text with its end and its flag, a list of one id.
    let row = 2 * 16 + 1 + (1000 + 8 + 1) + (8 + 8);
    // Vectors double: there is room for twice as much at most, and for a few at first.
    for rows in [1, 50, 100] {
        let held = bytes(rows);
        assert!((rows * row..=rows * row * 2 + 256).contains(&held), "{rows}: {held}");
    }
}

#[test]
fn what_is_no_list_of_records_is_refused() {
    let twice = member("id", "<int>1</int>") + &member("id", "<int>1</int>");
    assert!(page(&[], &[&twice]).unwrap_err().contains("twice"));
    assert!(page(&[], &[""]).unwrap_err().contains("without an id"));
}

/// JSON has a way of its own past the names.
#[test]
fn json_gives_the_same_columns() {
    let fields = [
        ("a", FieldType::Integer),
        ("ab", FieldType::Decimal(None)),
        ("t", FieldType::Text),
        ("l", FieldType::ToMany),
        ("j", FieldType::Json),
    ];
    let decoded = |records: &str| {
        let mut sink = PageSink::new(fields);
        json::decode_value(&mut records.as_bytes(), &mut sink)
            .map_err(|error| format!("{error:?}"))?;
        sink.finish().map_err(|refusal| refusal.0.into_string())
    };
    let page = decoded(
        r#"[{"id": 1, "a": 2, "ab": 1.50, "t": "x\"y", "l": [1, 2], "j": {"ab": [{"t": 1}]}},
            {"ab": 7, "a": false, "id": 2, "abc": {"id": 9}, "t": false, "l": []},
            {"id": 3, "ab": 1e-05, "\u0061": 4, "j": "k"}]"#,
    )
    .unwrap();
    assert_eq!(page.ids(), [1, 2, 3]);
    assert_eq!(page.column("a"), Some(&Cells::Integers(vec![Some(2), None, Some(4)])));
    let texts = |texts: [Option<&str>; 3]| Cells::Texts(texts.into_iter().collect());
    assert_eq!(page.column("ab"), Some(&texts([Some("1.50"), Some("7"), Some("1e-05")])));
    assert_eq!(page.column("t"), Some(&texts([Some("x\"y"), None, None])));
    let nested = r#"{"ab":[{"t":1}]}"#;
    assert_eq!(page.column("j"), Some(&texts([Some(nested), None, Some("\"k\"")])));
    let Some(Cells::Lists(lists)) = page.column("l") else { panic!() };
    assert_eq!(lists.iter().collect::<Vec<_>>(), [&[1, 2][..], &[], &[]]);

    assert!(decoded(r#"[{"id": 1, "a": 2, "a": 3}]"#).unwrap_err().contains("twice"));
    assert!(decoded(r#"[{"id": 1, "id": 1}]"#).unwrap_err().contains("twice"));
    assert!(decoded(r#"[{"id": 1, "ab": 2, "a": 3, "ab": 4}]"#).unwrap_err().contains("twice"));
    let refused = decoded(r#"[{"id": 1, "a": "x"}]"#).unwrap_err();
    assert!(refused.contains(r#"the text \"x\" for the field \"a\""#), "{refused}");
    for wrong in [r#"{"id": 1}"#, "[1]", "[[]]", "false", "7"] {
        assert!(decoded(wrong).unwrap_err().contains("instead of a list of records"), "{wrong}");
    }
}

/// A name that needs escapes is not taken for what looks like it.
#[test]
fn names_with_quotes_are_read() {
    let odd = "a\": 1, \"b";
    let mut sink = PageSink::new([(odd, FieldType::Integer)]);
    json::decode_value(&mut &br#"[{"id": 1, "a": 1, "b": 2}]"#[..], &mut sink).unwrap();
    let page = sink.finish().unwrap();
    assert_eq!(page.column(odd), Some(&Cells::Integers(vec![None])));
}
