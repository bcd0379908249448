use super::*;

fn run(body: &[u8]) -> Result<(Answer, Value), String> {
    let mut sink = ValueSink::default();
    match decode(&mut &*body, &mut sink) {
        Ok(answer) => Ok((answer, sink.finish())),
        Err(DecodeError::Malformed(reason)) => Err(reason),
        Err(DecodeError::Read(error)) => Err(format!("read: {error}")),
    }
}

fn response(value: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>{value}</value>\n\
         </param>\n</params>\n</methodResponse>\n"
    )
}

fn value(xml: &str) -> Result<Value, String> {
    run(response(xml).as_bytes()).map(|(_, value)| value)
}

#[test]
fn values_of_every_type() {
    assert_eq!(value("<int>-7</int>"), Ok(Value::Int(-7)));
    assert_eq!(value("<i8>5000000000</i8>"), Ok(Value::Int(5_000_000_000)));
    assert_eq!(value("<boolean>1</boolean>"), Ok(Value::Bool(true)));
    assert_eq!(value("<double>0.1</double>"), Ok(Value::Double("0.1".into())));
    assert_eq!(value("<nil/>"), Ok(Value::Null));
    assert_eq!(value("<string></string>"), Ok("".into()));
    assert_eq!(value("untyped"), Ok("untyped".into()));
    assert_eq!(value("<string>a&lt;b &amp; &#233;\r\n</string>"), Ok("a<b & é\r\n".into()));
    assert_eq!(value("<string><![CDATA[<b>]]></string>"), Ok("<b>".into()));
    assert_eq!(
        value(
            "<array><data>\n<value><int>1</int></value>\n<value><array><data/></array></value></data></array>"
        ),
        Ok(Value::Array(vec![Value::Int(1), Value::Array(vec![])]))
    );
    assert_eq!(
        value("<struct><member><name>a</name><value><int>1</int></value></member></struct>"),
        Ok(Value::Struct(vec![("a".into(), Value::Int(1))]))
    );
    assert_eq!(value("<struct/>"), Ok(Value::Struct(vec![])));
}

#[test]
fn texts_of_several_parts_are_one() {
    assert_eq!(value("<string>a<!-- b -->c&amp;<![CDATA[&]]>d</string>"), Ok("ac&&d".into()));
    assert_eq!(value("un&lt;typed"), Ok("un<typed".into()));
    assert_eq!(value(" <int> 7 </int>\n"), Ok(Value::Int(7)));
    assert_eq!(value("  "), Ok("  ".into()));
    assert_eq!(value("<string><![CDATA[]]></string>"), Ok("".into()));
}

/// Each place is once the end of a window.
#[test]
fn a_window_may_end_anywhere() {
    let whole = response(
        "<array><data><value><string>a<!-- <b> -->é&lt;&#233;<![CDATA[<c>]]>d</string></value>\
         <value>a text that is longer than a window, é€😀</value><value><nil/></value>\
         <value><struct><member><name>n&amp;</name><value>\n<int>1</int></value></member>\
         </struct></value></data></array>",
    );
    let member = ("n&".to_owned(), Value::Int(1));
    let expected = vec![
        "aé<é<c>d".into(),
        "a text that is longer than a window, é€😀".into(),
        Value::Null,
        Value::Struct(vec![member]),
    ];
    for before in 0..=whole.len() {
        let body = " ".repeat(before) + &whole;
        let told = run(body.as_bytes()).map(|(_, value)| value);
        assert_eq!(told, Ok(Value::Array(expected.clone())), "behind {before} blanks");
    }
}

#[test]
fn control_characters_of_odoo_14_are_dropped() {
    assert_eq!(value("<string>a\u{0}b\u{b}\tc\u{fffe}</string>"), Ok("ab\tc\u{fffe}".into()));
}

#[test]
fn faults() {
    let body = "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>\
                faultCode</name><value><int>4</int></value></member><member><name>faultString\
                </name><value><string>no</string></value></member></struct></value></fault>\
                </methodResponse>";
    let (answer, value) = run(body.as_bytes()).unwrap();
    assert_eq!(answer, Answer::Fault { code: 4, text: "no".into() });
    assert_eq!(value, Value::Null);
}

#[test]
fn every_cut_is_noticed() {
    let whole = response("<array><data><value><int>12</int></value></data></array>");
    for cut in 0..whole.trim_end().len() {
        assert!(run(&whole.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn malformed_documents_are_errors() {
    for wrong in [
        "<int>x</int>",
        "<int></int>",
        "<int>1.5</int>",
        "<int>99999999999999999999</int>",
        "<double>1,5</double>",
        "<boolean>2</boolean>",
        "<float>1</float>",
        "<int>1</int><int>2</int>",
        "<int>1</int>text",
        "text<int>1</int>",
        "<array>text<data></data></array>",
        "<array><data>&amp;</data></array>",
        "<array><data></data><data></data></array>",
        "<struct>text</struct>",
        "<struct><value><int>1</int></value></struct>",
        "<int>1</string>",
        "<int><int>1</int></int>",
        "<array><value><int>1</int></value></array>",
        "<array><data><int>1</int></data></array>",
        "<struct><member><value><int>1</int></value></member></struct>",
        "<struct><member><name>a</name></member></struct>",
        "<string>&unknown;</string>",
        "<string>&#0;</string>",
        "<string>&#xD800;</string>",
    ] {
        assert!(value(wrong).is_err(), "{wrong}");
    }
    for wrong in [
        &b""[..],
        b"<html><body>502 Bad Gateway</body></html>",
        b"not xml",
        b"<?xml version='1.0' encoding='latin-1'?><methodResponse/>",
        b"<methodResponse/>",
        b"<methodResponse><params/></methodResponse>",
        b"<methodResponse><params><param><value>\xff\xfe</value></param></params></methodResponse>",
    ] {
        assert!(run(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
    }
    let body = response("<int>1</int>");
    for (place, wrong) in [
        ("</param>", "<value><int>2</int></value></param>"),
        ("</params>", "<param><value><int>2</int></value></param></params>"),
        ("</params>", "</params><fault><value/></fault>"),
        ("<param>", "text<param>"),
        ("</methodResponse>", "</methodResponse>text"),
        ("</methodResponse>", "</methodResponse></value>"),
    ] {
        let body = body.replace(place, wrong);
        assert!(run(body.as_bytes()).is_err(), "{body}");
    }
    let twice = response("<int>1</int>").replace("<?xml version='1.0'?>", "").repeat(2);
    assert!(run(twice.as_bytes()).is_err());
}

#[test]
fn errors_tell_the_place() {
    let error = |body: &str| run(body.as_bytes()).unwrap_err();
    let far = " ".repeat(100) + "<int>";
    assert_eq!(error(&far), "misplaced element <int>, at byte 105");
    assert_eq!(error("{}"), "text outside of the document, at byte 2");
    assert_eq!(error("<methodResponse><param>"), "misplaced element <param>, at byte 23");
    assert_eq!(
        error("<methodResponse></methodResponse>").as_str(),
        "an incomplete <MethodResponse>, at byte 33"
    );
    assert_eq!(error("<methodResponse><params>"), "the document is cut off");
}

#[test]
fn bombs_do_not_go_off() {
    let entities = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'>]><methodResponse/>";
    assert!(run(entities.as_bytes()).unwrap_err().contains("document type"));
    let nested = response(&"<array><data><value>".repeat(100_000));
    assert!(run(nested.as_bytes()).unwrap_err().contains("nested"));
}
