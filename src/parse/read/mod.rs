//! Protobuf-JSON through serde: one pass from any deserializer to a typed message.
//!
//! Reading never stops at a value that is wrong: it is noted in the [`Log`] with its path, the field keeps its default, and
//! the rest is read. Only broken syntax and exceeded limits end the reading of a document.
//!
//! The rules are those of Istio's JSON reader on top of Kubernetes' YAML reader: `null` is the default, a field has its JSON
//! name or its protobuf name, a number may be written as text, an enumeration by name or number, `<<` merges mappings.

mod containers;
mod enumeration;
mod fields;
mod scalars;
mod shape;

pub(crate) use enumeration::read_enumeration;
pub(crate) use fields::read_message;
pub(crate) use shape::{Scalar, Shape, Shaped, abridged};

use crate::diagnostic::{At, Code, FieldPath, Severity};
use serde::de::{DeserializeSeed, Deserializer, Error};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

/// A value of the API that can be read.
pub(crate) trait Read: Default {
    /// Whether a list's null element is an empty message to Istio, and no mistake.
    const NULL_ELEMENT_IS_EMPTY: bool = false;

    /// Reads the value; fails only on broken syntax or an exceeded limit.
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error>;

    /// Whether this is an optional field without a value.
    fn is_unset(&self) -> bool {
        false
    }
}

/// Something wrong with a value, where it stands, before the place in the text is known.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) path: FieldPath,
    /// Whether it is the key that is wrong, rather than the value.
    pub(crate) about_key: bool,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What one document's reading has found, and what it may still cost.
#[derive(Debug)]
pub(crate) struct Log {
    problems: RefCell<Vec<Problem>>,
    /// Problems beyond those that are kept.
    pub(crate) omitted: Cell<usize>,
    pub(crate) worst_omitted: Cell<Option<Severity>>,
    /// Why reading had to stop, if not for its syntax.
    pub(crate) stopped: Cell<Option<Code>>,
    values: Rc<Cell<usize>>,
    list_length: usize,
    yaml: bool,
}

/// How many problems of one document are reported one by one.
const PROBLEMS_PER_DOCUMENT: usize = 100;

impl Log {
    /// A log for a document that may still have `values` values, and lists of at most `list_length` elements.
    pub(crate) fn new(yaml: bool, values: Rc<Cell<usize>>, list_length: usize) -> Self {
        Self {
            problems: RefCell::default(),
            omitted: Cell::new(0),
            worst_omitted: Cell::new(None),
            stopped: Cell::new(None),
            values,
            list_length,
            yaml,
        }
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.problems.borrow().is_empty()
    }

    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    /// The error that ends the reading for another reason than its syntax.
    pub(crate) fn stop<E: Error>(&self, code: Code) -> E {
        self.stopped.set(Some(code));
        E::custom(code.summary())
    }
}

/// Where reading stands, and the log it writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) at: At<'a>,
    pub(crate) log: &'a Log,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { at: At::ROOT, log }
    }

    pub(crate) fn field<'b>(&'b self, name: &'static str) -> Reader<'b> {
        Reader {
            at: self.at.field(name),
            log: self.log,
        }
    }

    pub(crate) fn key<'b>(&'b self, key: &'b str) -> Reader<'b> {
        Reader {
            at: self.at.key(key),
            log: self.log,
        }
    }

    pub(crate) fn index<'b>(&'b self, index: usize) -> Reader<'b> {
        Reader {
            at: self.at.index(index),
            log: self.log,
        }
    }

    /// Whether the text is YAML.
    pub(crate) fn is_yaml(&self) -> bool {
        self.log.yaml
    }

    pub(crate) fn note(&self, code: Code, message: String, help: Option<String>) {
        self.add(code, message, help, false);
    }

    pub(crate) fn note_key(&self, code: Code, message: String, help: Option<String>) {
        self.add(code, message, help, true);
    }

    fn add(&self, code: Code, message: String, help: Option<String>, about_key: bool) {
        let mut problems = self.log.problems.borrow_mut();
        if problems.len() < PROBLEMS_PER_DOCUMENT {
            problems.push(Problem {
                code,
                path: self.at.to_path(),
                about_key,
                message,
                help,
            });
        } else {
            self.log.omitted.set(self.log.omitted.get() + 1);
            let (worst, severity) = (self.log.worst_omitted.get(), code.severity());
            let worst = worst.map_or(severity, |worst| worst.min(severity));
            self.log.worst_omitted.set(Some(worst));
        }
    }

    /// Counts one value against the document's budget, which only aliases can exceed.
    pub(crate) fn spend<E: Error>(&self) -> Result<(), E> {
        match self.log.values.get().checked_sub(1) {
            Some(left) => {
                self.log.values.set(left);
                Ok(())
            }
            None => Err(self.log.stop(Code::TOO_MANY_VALUES)),
        }
    }
}

/// The seed that reads a `T` at a reader's place.
pub(crate) struct Slot<'a, T> {
    reader: Reader<'a>,
    value: PhantomData<T>,
}

impl<'a, T> Slot<'a, T> {
    pub(crate) fn new(reader: Reader<'a>) -> Self {
        Self {
            reader,
            value: PhantomData,
        }
    }
}

impl<'de, T: Read> DeserializeSeed<'de> for Slot<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer, self.reader)
    }
}
