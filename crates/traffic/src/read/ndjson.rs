//! Our own records, one a line.

use super::lines::Take;
use super::report::Problem;
use super::sink::Odd;
use crate::TransactionRef;

pub(super) fn read(line: &str, take: &mut Take<'_>) -> Result<(), Odd> {
    match TransactionRef::from_line(line) {
        Ok(transaction) => {
            take(&transaction);
            Ok(())
        }
        Err(error) if error.is_json => Err(Odd::Bad(Problem::NotTransaction, error.column as u64)),
        Err(error) => Err(Odd::Bad(Problem::NotJson, error.column as u64)),
    }
}
