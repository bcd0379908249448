//! What the fuzz targets share: the parts of Odoo's client that read what others wrote, by path,
//! since the extension links PostgreSQL's server; and what is to be true of whatever they read.
#![allow(dead_code)]

#[path = "../src/odoo"]
pub mod odoo {
    pub mod domain;
    pub mod fields;
    pub mod page;
    pub mod sink;
    pub mod value;

    pub mod wire {
        pub mod http {
            pub mod body;
        }
        pub mod json;
        pub mod xmlrpc {
            mod decode;

            pub use decode::decode;
        }
    }
}

use odoo::fields::FieldType;
use odoo::page::page_sink::PageSink;
use odoo::sink::{Refusal, Scalar, Sink};

/// Records with a field of each type; the seeds name them.
const FIELDS: [(&str, FieldType); 9] = [
    ("id", FieldType::Integer),
    ("active", FieldType::Boolean),
    ("order_id", FieldType::Many2one),
    ("name", FieldType::Text),
    ("qty", FieldType::Decimal(None)),
    ("price", FieldType::Decimal(Some(2))),
    ("tax_ids", FieldType::ToMany),
    ("write_date", FieldType::Datetime),
    ("date", FieldType::Date),
];

/// Reads a body twice: into nothing, which takes all that is well-formed, and into a page.
pub fn read<D, E>(body: &[u8], decode: impl Fn(&mut &[u8], &mut dyn Sink) -> Result<D, E>) {
    let (mut nothing, mut page) = ((), PageSink::new(FIELDS));
    for sink in [&mut nothing as &mut dyn Sink, &mut page] {
        let mut sink = Balanced { sink, open: Vec::new(), values: 0 };
        if decode(&mut &*body, &mut sink).is_ok() {
            assert!(sink.open.is_empty(), "an end is missing");
        }
    }
    let _ = page.finish();
}

/// Sees that a decoder keeps the promise of [`Sink`].
struct Balanced<'s> {
    sink: &'s mut dyn Sink,
    open: Vec<Open>,
    values: usize,
}

#[derive(PartialEq)]
enum Open {
    Array,
    Struct { is_named: bool },
}

impl Balanced<'_> {
    fn value(&mut self) {
        match self.open.last_mut() {
            None => self.values += 1,
            Some(Open::Array) => {}
            Some(Open::Struct { is_named }) => {
                assert!(*is_named, "a value without a name");
                *is_named = false;
            }
        }
        assert!(self.values <= 1, "a second value");
    }

    fn named(&mut self) {
        let is_expected = self.open.last() == Some(&Open::Struct { is_named: false });
        assert!(is_expected, "a name outside of a struct, or after another");
        self.open.pop();
        self.open.push(Open::Struct { is_named: true });
    }
}

impl Sink for Balanced<'_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Refusal> {
        self.value();
        self.sink.scalar(scalar)
    }

    fn begin_array(&mut self) -> Result<(), Refusal> {
        self.value();
        self.open.push(Open::Array);
        self.sink.begin_array()
    }

    fn begin_struct(&mut self) -> Result<(), Refusal> {
        self.value();
        self.open.push(Open::Struct { is_named: false });
        self.sink.begin_struct()
    }

    fn name(&mut self, name: &str) -> Result<(), Refusal> {
        self.named();
        self.sink.name(name)
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let open = self.open.pop();
        assert!(open.is_some() && open != Some(Open::Struct { is_named: true }), "an end too many");
        self.sink.end()
    }

    fn expected(&mut self, text: &[u8]) -> usize {
        let length = self.sink.expected(text);
        if length > 0 {
            self.named();
        }
        length
    }

    fn dropped(&mut self, characters: usize) {
        self.sink.dropped(characters);
    }
}
