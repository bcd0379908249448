//! What changes records: create, write, unlink, and the methods of a model by their names.

use crate::odoo::client::model::Model;
use crate::odoo::error::Error;
use crate::odoo::fault::Fault;
use crate::odoo::value::Value;
use crate::odoo::wire::protocol::Protocol;

impl Model<'_> {
    /// Makes records and returns their ids, in the order of their values.
    pub fn create(&self, values: Vec<Value>) -> Result<Vec<i64>, Error> {
        let args = vec![("vals_list", Value::Array(values))];
        let made = self.execute("create", None, args, Vec::new())?;
        self.ids("create", &made)
    }

    /// Gives records new values. `false` is Odoo's word that it did not.
    pub fn write(&self, ids: Vec<i64>, values: Value) -> Result<bool, Error> {
        let done = self.execute("write", Some(ids), vec![("vals", values)], Vec::new())?;
        Ok(done.as_bool() != Some(false))
    }

    /// Deletes records. `false` is Odoo's word that it did not.
    pub fn unlink(&self, ids: Vec<i64>) -> Result<bool, Error> {
        let done = self.execute("unlink", Some(ids), Vec::new(), Vec::new())?;
        Ok(done.as_bool() != Some(false))
    }

    /// Calls a public method, on records if there are ids. JSON-2 takes no `args`.
    ///
    /// Over XML-RPC a result that is None, or holds it, is `Null`.
    pub fn call(
        &self,
        method: &str,
        ids: Option<Vec<i64>>,
        args: Vec<Value>,
        kwargs: Vec<(String, Value)>,
    ) -> Result<Value, Error> {
        check_method(method)?;
        // Which protocol `auto` means is known after the login.
        self.connection().identity()?;
        let protocol = self.connection().protocol();
        if protocol == Protocol::Json2 && !args.is_empty() {
            let call = format!("{}.{method}", self.name());
            return Err(Error::Unnamed { call, protocol });
        }
        self.execute(method, ids, args.into_iter().map(|value| ("", value)).collect(), kwargs)
    }

    fn execute(
        &self,
        method: &str,
        ids: Option<Vec<i64>>,
        args: Vec<(&'static str, Value)>,
        kwargs: Vec<(String, Value)>,
    ) -> Result<Value, Error> {
        let request = self.request(method, ids, args, kwargs, Vec::new())?;
        match self.connection().write(&request) {
            Err(Error::Fault(fault)) if is_only_unwritten(&fault) => Ok(Value::Null),
            done => done.map_err(|error| self.explained(error, method)),
        }
    }
}

/// Whether the method ran and was committed, and XML-RPC could not write its result: it has no
/// word for None.
fn is_only_unwritten(fault: &Fault) -> bool {
    fault.message.starts_with("TypeError: cannot marshal None")
}

/// Refuses what Odoo keeps from its API, before it is asked.
fn check_method(name: &str) -> Result<(), Error> {
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    match first && name.chars().all(usual) {
        true => Ok(()),
        false => Err(Error::Name { what: "public method", name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_methods_and_addresses_are_refused() {
        for name in ["action_confirm", "copy", "search_read2"] {
            assert_eq!(check_method(name), Ok(()));
        }
        for name in ["", "_write", "__init__", "a.b", "a/b", "unlink?", "9x", "é"] {
            assert!(check_method(name).is_err(), "{name}");
        }
    }
}
