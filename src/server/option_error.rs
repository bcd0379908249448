//! OptionError options as errors, in PostgreSQL's words where it has some.

use pgrx::PgSqlErrorCode as State;

use super::options::OptionError;
use crate::failure::Failure;

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        match error {
            OptionError::Unknown { name, known } => {
                let failure = Failure::new(
                    State::ERRCODE_FDW_INVALID_OPTION_NAME,
                    format!("invalid option \"{name}\""),
                );
                match known.is_empty() {
                    true => failure.hint("There are no valid options in this context."),
                    false => failure
                        .hint(format!("Valid options in this context are: {}.", known.join(", "))),
                }
            }
            OptionError::Missing { name } => Failure::new(
                State::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
                format!("option \"{name}\" is required"),
            ),
            OptionError::Value { name, reason } => Failure::new(
                State::ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE,
                format!("invalid value for option \"{name}\""),
            )
            .detail(format!("{}.", uppercase_first(&reason))),
            OptionError::Secret { reason } => {
                Failure::new(State::ERRCODE_FDW_INVALID_OPTION_NAME, reason)
            }
        }
    }
}

fn uppercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
