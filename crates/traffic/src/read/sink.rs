//! Counts rows and passes transactions on.

use std::io::Read;
use std::ops::ControlFlow;

use super::report::{BadRow, CutShort, Problem, ReadReport};
use super::window::Window;
use super::{Each, MAX_REPORTED};
use crate::TransactionRef;

/// What a row turned out to be, where it was no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// No HTTP request, and rightly so.
    Skipped,
    /// Unreadable; where in it, in bytes from 1, or 0.
    Bad(Problem, u64),
}

/// Where a row begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) offset: u64,
}

pub(super) struct Sink<'s, 'e> {
    each: &'s mut Each<'e>,
    report: ReadReport,
}

impl<'s, 'e> Sink<'s, 'e> {
    pub(super) fn new(format: &'static str, each: &'s mut Each<'e>) -> Self {
        let report = ReadReport {
            format,
            rows: 0,
            transactions: 0,
            skipped: 0,
            bad: 0,
            first_bad: Vec::new(),
            bytes: 0,
            cut_short: None,
            stopped: false,
        };
        Self { each, report }
    }

    /// The next row is a transaction.
    pub(super) fn transaction(&mut self, transaction: &TransactionRef<'_>) -> ControlFlow<()> {
        let flow = (self.each)(self.report.rows, transaction);
        self.report.rows += 1;
        self.report.transactions += 1;
        self.report.stopped = flow.is_break();
        flow
    }

    /// The next row is none.
    pub(super) fn odd(&mut self, odd: Odd, place: Place) {
        match odd {
            Odd::Skipped => self.report.skipped += 1,
            Odd::Bad(problem, column) => {
                self.report.bad += 1;
                if self.report.first_bad.len() < MAX_REPORTED {
                    self.report.first_bad.push(BadRow {
                        row: self.report.rows,
                        line: place.line,
                        column,
                        offset: place.offset,
                        problem,
                    });
                }
            }
        }
        self.report.rows += 1;
    }

    pub(super) fn unclosed(&mut self) {
        self.report.cut_short = Some(CutShort::Unclosed);
    }

    pub(super) fn into_report<R: Read>(self, window: &Window<R>) -> ReadReport {
        let mut report = self.report;
        report.bytes = window.offset();
        if window.is_damaged() {
            report.cut_short = Some(CutShort::Packed(window.end_offset()));
        }
        report
    }
}
