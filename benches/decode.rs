//! From the network's bytes to typed columns: how much that costs beside a bare parser.
//!
//!     cargo bench --bench decode                 the ratios; exits with 1 where a bar is missed
//!     cargo bench --bench decode -- --quick      the columns only, on a small page; `cargo test` too
//!
//! Instructions per row, of `decode_xml` and `decode_json` alone:
//!
//!     valgrind --tool=callgrind --toggle-collect='*decode_xml*' BINARY --callgrind-xml
//!     valgrind --tool=callgrind --toggle-collect='*decode_json*' BINARY --callgrind-json

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use odoo_etl::odoo::wire::{json, xmlrpc};
use odoo_etl::odoo::{Cells, FieldType, Lists, Page, PageSink, Texts};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::IgnoredAny;

const MEASURED: usize = 20_000_000;
const QUICK: usize = 500_000;
const REPEATS: usize = 15;

/// What may be used of the bare parser's time.
const XML_BAR: f64 = 1.8;
const JSON_BAR: f64 = 2.5;

fn main() -> ExitCode {
    let wants = |argument: &str| std::env::args().any(|given| given == argument);
    if wants("--callgrind-xml") || wants("--callgrind-json") {
        let lines = lines(MEASURED);
        let page = match wants("--callgrind-xml") {
            true => decode_xml(&as_xml(&lines)),
            false => decode_json(&as_json(&lines)),
        };
        println!("{} rows", page.rows());
        return ExitCode::SUCCESS;
    }
    // cargo test gives no argument.
    if wants("--quick") || !wants("--bench") {
        check(&lines(QUICK));
        return ExitCode::SUCCESS;
    }
    let lines = lines(MEASURED);
    check(&lines);
    let (xml, json) = (as_xml(&lines), as_json(&lines));
    println!("{} rows, {} bytes of XML-RPC, {} of JSON", lines.len(), xml.len(), json.len());
    let met = [
        ratio("XML-RPC ÷ bare quick-xml", XML_BAR, || decode_xml(&xml), || bare_xml(&xml)),
        ratio("JSON ÷ IgnoredAny", JSON_BAR, || decode_json(&json), || bare_json(&json)),
    ];
    ExitCode::from(u8::from(met.contains(&false)))
}

#[inline(never)]
fn decode_xml(body: &[u8]) -> Page {
    let mut sink = PageSink::new(FIELDS.iter().copied());
    xmlrpc::decode(&mut &*body, &mut sink).expect("an answer");
    sink.finish().expect("a page")
}

#[inline(never)]
fn decode_json(body: &[u8]) -> Page {
    let mut sink = PageSink::new(FIELDS.iter().copied());
    json::decode_value(&mut &*body, &mut sink).expect("an answer");
    sink.finish().expect("a page")
}

fn bare_xml(body: &[u8]) -> usize {
    let mut reader = Reader::from_reader(body);
    let mut events = 0;
    while !matches!(black_box(reader.read_event().expect("an event")), Event::Eof) {
        events += 1;
    }
    events
}

fn bare_json(body: &[u8]) -> IgnoredAny {
    serde_json::from_slice(body).expect("JSON")
}

/// Runs both by turns, compares their best times and tells whether the bar is met.
fn ratio<A, B>(name: &str, bar: f64, ours: impl Fn() -> A, bare: impl Fn() -> B) -> bool {
    let (mut best, mut best_bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..REPEATS {
        best = best.min(time(&ours));
        best_bare = best_bare.min(time(&bare));
    }
    let ratio = best.as_secs_f64() / best_bare.as_secs_f64();
    println!("decode {name}: {ratio:.2} (bar {bar}), {best:.1?} and {best_bare:.1?}");
    ratio <= bar
}

/// How long it takes, without what is freed afterwards.
fn time<T>(work: impl Fn() -> T) -> Duration {
    let begin = Instant::now();
    let done = black_box(work());
    let taken = begin.elapsed();
    drop(done);
    taken
}

/// Both decoders give the columns that the page was made of.
fn check(lines: &[Line]) {
    for (protocol, page) in
        [("XML-RPC", decode_xml(&as_xml(lines))), ("JSON", decode_json(&as_json(lines)))]
    {
        assert_eq!((page.rows(), page.dropped()), (lines.len(), 0), "{protocol}");
        for (at, (name, field_type)) in FIELDS.iter().enumerate() {
            let expected = column(*field_type, lines.iter().map(|line| &line[at]));
            assert!(page.column(name) == Some(&expected), "the column {name} of {protocol}");
        }
    }
    println!("{} rows: the columns of both protocols are those of the page", lines.len());
}

/// Fields of pos.order.line, and of its kind.
const FIELDS: [(&str, FieldType); 20] = [
    ("id", FieldType::Integer),
    ("write_date", FieldType::Datetime),
    ("create_date", FieldType::Datetime),
    ("order_id", FieldType::Many2one),
    ("product_id", FieldType::Many2one),
    ("name", FieldType::Text),
    ("full_product_name", FieldType::Text),
    ("customer_note", FieldType::Text),
    ("qty", FieldType::Decimal(None)),
    ("price_unit", FieldType::Decimal(None)),
    ("discount", FieldType::Decimal(None)),
    ("price_subtotal", FieldType::Decimal(None)),
    ("price_subtotal_incl", FieldType::Decimal(None)),
    ("total_cost", FieldType::Decimal(None)),
    ("is_total_cost_computed", FieldType::Boolean),
    ("refunded_orderline_id", FieldType::Many2one),
    ("is_reward_line", FieldType::Boolean),
    ("sale_order_line_id", FieldType::Many2one),
    ("tax_ids", FieldType::ToMany),
    ("expected_date", FieldType::Date),
];

type Line = [Cell; FIELDS.len()];

/// A value as Odoo has it.
enum Cell {
    False,
    True,
    Int(i64),
    Float(f64),
    Text(String),
    Ids(Vec<i64>),
}

/// As many lines as fill `bytes` of XML-RPC.
fn lines(bytes: usize) -> Vec<Line> {
    let mut random = Random(20);
    let mut lines: Vec<Line> = (1..=100).map(|id| line(id, &mut random)).collect();
    let rows = bytes * lines.len() / as_xml(&lines).len();
    lines.extend((101..=rows as i64).map(|id| line(id, &mut random)));
    lines
}

fn line(id: i64, random: &mut Random) -> Line {
    const PRODUCTS: [&str; 6] = [
        "Café crème",
        "Desk lamp <LED> & \"shade\"",
        "Office chair, black",
        "Bahnhofstraße 7, Größe XL",
        "Wireless mouse",
        "Notebook A5 lined, 96 sheets",
    ];
    let quantity = random.below(9) as f64 - 1.0;
    let price = random.below(20_000) as f64 / 100.0;
    // Odoo rounds what it stores.
    let cents = |number: f64| (number * 100.0).round() / 100.0;
    let subtotal = cents(quantity * price);
    let rarely = |value, often| if id % 16 == 0 { value } else { often };
    [
        Cell::Int(1_000_000 + id),
        Cell::Text(random.time()),
        Cell::Text(random.time()),
        Cell::Int(500_000 + id / 3),
        Cell::Int(1 + random.below(5000) as i64),
        Cell::Text(format!("Shop/{:05}", id / 3)),
        Cell::Text(PRODUCTS[random.below(6) as usize].to_owned()),
        rarely(Cell::Text("no ice,\n\"extra\" hot – Привет".to_owned()), Cell::False),
        Cell::Float(quantity),
        Cell::Float(price),
        Cell::Float(0.0),
        Cell::Float(subtotal),
        Cell::Float(cents(subtotal * 1.15)),
        Cell::Float(cents(quantity * random.below(9000) as f64 / 100.0)),
        if random.below(10) == 0 { Cell::False } else { Cell::True },
        rarely(Cell::Int(1_000_000 + id / 2), Cell::False),
        Cell::False,
        Cell::False,
        Cell::Ids((0..random.below(3) as i64).collect()),
        rarely(Cell::Text(random.time()[..10].to_owned()), Cell::False),
    ]
}

/// Knuth's generator: the same page in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }

    fn time(&mut self) -> String {
        let [month, day] = [1 + self.below(12), 1 + self.below(28)];
        let [hour, minute, second] = [self.below(24), self.below(60), self.below(60)];
        format!("2024-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// The column that a page should have of these values.
fn column<'c>(field_type: FieldType, cells: impl Iterator<Item = &'c Cell>) -> Cells {
    match field_type {
        FieldType::Boolean => {
            Cells::Booleans(cells.map(|cell| Some(matches!(cell, Cell::True))).collect())
        }
        FieldType::Integer | FieldType::Many2one => {
            let int = |cell: &Cell| if let Cell::Int(int) = cell { Some(*int) } else { None };
            Cells::Integers(cells.map(int).collect())
        }
        FieldType::ToMany => {
            let mut lists = Lists::default();
            cells.for_each(|cell| lists.push(if let Cell::Ids(ids) = cell { ids } else { &[] }));
            Cells::Lists(lists)
        }
        _ => {
            let mut texts = Texts::default();
            for cell in cells {
                let text = match cell {
                    Cell::Float(number) => Some(format!("{number:?}")),
                    Cell::Text(text) if field_type == FieldType::Datetime => {
                        Some(format!("{text}+00"))
                    }
                    Cell::Text(text) => Some(text.clone()),
                    _ => None,
                };
                texts.push(text.as_deref());
            }
            Cells::Texts(texts)
        }
    }
}

/// The answer of `read`, as Python's `xmlrpc.client` lays it out.
fn as_xml(lines: &[Line]) -> Vec<u8> {
    let mut out = String::from(
        "<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n",
    );
    for line in lines {
        out.push_str("<value><struct>\n");
        for ((name, _), cell) in FIELDS.iter().zip(line) {
            let _ = write!(out, "<member>\n<name>{name}</name>\n<value>");
            let _ = match cell {
                Cell::False => write!(out, "<boolean>0</boolean>"),
                Cell::True => write!(out, "<boolean>1</boolean>"),
                Cell::Int(int) => write!(out, "<int>{int}</int>"),
                Cell::Float(number) => write!(out, "<double>{number:?}</double>"),
                Cell::Text(text) => {
                    let text = text.replace('&', "&amp;").replace('<', "&lt;");
                    write!(out, "<string>{}</string>", text.replace('>', "&gt;"))
                }
                Cell::Ids(ids) => {
                    out.push_str("<array><data>\n");
                    for id in ids {
                        let _ = writeln!(out, "<value><int>{id}</int></value>");
                    }
                    write!(out, "</data></array>")
                }
            };
            out.push_str("</value>\n</member>\n");
        }
        out.push_str("</struct></value>\n");
    }
    out.push_str("</data></array></value>\n</param>\n</params>\n</methodResponse>\n");
    out.into_bytes()
}

/// The answer of JSON-2's `read`, as Python's `json.dumps(…, ensure_ascii=False)` lays it out.
fn as_json(lines: &[Line]) -> Vec<u8> {
    let mut out = String::from("[");
    for (row, line) in lines.iter().enumerate() {
        out.push_str(if row == 0 { "{" } else { ", {" });
        for (at, ((name, _), cell)) in FIELDS.iter().zip(line).enumerate() {
            let _ = write!(out, "{}\"{name}\": ", if at == 0 { "" } else { ", " });
            let _ = match cell {
                Cell::False => write!(out, "false"),
                Cell::True => write!(out, "true"),
                Cell::Int(int) => write!(out, "{int}"),
                Cell::Float(number) => write!(out, "{number:?}"),
                Cell::Text(text) => {
                    let text = text.replace('"', "\\\"").replace('\n', "\\n");
                    write!(out, "\"{text}\"")
                }
                // The same layout: brackets, and commas with a space behind them.
                Cell::Ids(ids) => write!(out, "{ids:?}"),
            };
        }
        out.push('}');
    }
    out.push(']');
    out.into_bytes()
}
