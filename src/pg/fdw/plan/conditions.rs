//! Conditions: PostgreSQL's expression trees to predicates, and operands to values.

use std::ffi::c_void;

use pgrx::nodes::is_a;
use pgrx::pg_sys::{self, NodeTag};

use crate::pg::fdw::predicate::{Comparison, Operand, Predicate};
use crate::pg::fdw::value::constant_of;
use crate::pg::nodes::{nodes, text};

/// Objects with lower oids are PostgreSQL's own, and mean what their names say.
pub const FIRST_FOREIGN_OID: u32 = 10_000;

/// Reads the conditions of one foreign table.
pub struct Reader<'a> {
    root: *mut pg_sys::PlannerInfo,
    relid: pg_sys::Index,
    /// The columns that a predicate may be about.
    compared: &'a [i16],
    /// Operands that are evaluated when the scan begins.
    pub expressions: Vec<*mut pg_sys::Expr>,
    /// Those of them that are dates and times without a zone, and are compared with one that has.
    pub times: Vec<usize>,
}

/// A condition that was read, and whether all of it was.
pub struct Read {
    pub predicate: Predicate,
    pub is_whole: bool,
}

impl<'a> Reader<'a> {
    /// # Safety
    /// `root` is the planner's, and lives as long as the reader.
    pub unsafe fn new(
        root: *mut pg_sys::PlannerInfo,
        relid: pg_sys::Index,
        compared: &'a [i16],
    ) -> Reader<'a> {
        Reader { root, relid, compared, expressions: Vec::new(), times: Vec::new() }
    }

    /// All of a list of clauses.
    ///
    /// # Safety
    /// The list is one of RestrictInfo or expression nodes.
    pub unsafe fn all(&mut self, clauses: *mut pg_sys::List) -> Read {
        let mut read = Read { predicate: Predicate::All(Vec::new()), is_whole: true };
        let mut parts = Vec::new();
        // SAFETY: as above.
        unsafe {
            for node in nodes::<pg_sys::Node>(clauses) {
                let node = match is_a(node, NodeTag::T_RestrictInfo) {
                    true => (*node.cast::<pg_sys::RestrictInfo>()).clause.cast(),
                    false => node,
                };
                match self.node(node, false) {
                    Some(part) => {
                        read.is_whole &= part.is_whole;
                        parts.push(part.predicate);
                    }
                    None => read.is_whole = false,
                }
            }
        }
        read.predicate = Predicate::All(parts);
        read
    }

    /// # Safety
    /// The pointer is to an expression node.
    unsafe fn node(&mut self, node: *mut pg_sys::Node, negated: bool) -> Option<Read> {
        let whole = |predicate| Some(Read { predicate, is_whole: true });
        // SAFETY: the tag says which struct a node is.
        unsafe {
            match (*node).type_ {
                NodeTag::T_BoolExpr => self.boolean(node.cast(), negated),
                NodeTag::T_Var => {
                    let column = self.column(node)?;
                    (self.class_of(node) == pg_sys::BOOLOID).then_some(())?;
                    whole(Predicate::Flag(column, !negated))
                }
                NodeTag::T_NullTest => {
                    let test = node.cast::<pg_sys::NullTest>();
                    let is_not = (*test).nulltesttype == pg_sys::NullTestType::IS_NOT_NULL;
                    let column = self.column((*test).arg.cast())?;
                    whole(Predicate::Null { column, negated: is_not != negated })
                }
                NodeTag::T_BooleanTest => self.boolean_test(node.cast(), negated),
                NodeTag::T_OpExpr => self.operator(node.cast(), negated).and_then(whole),
                NodeTag::T_ScalarArrayOpExpr => self.list(node.cast(), negated).and_then(whole),
                _ => None,
            }
        }
    }

    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn boolean(&mut self, node: *mut pg_sys::BoolExpr, negated: bool) -> Option<Read> {
        // SAFETY: the arguments of an AND, OR or NOT are expression nodes.
        unsafe {
            let arguments = nodes::<pg_sys::Node>((*node).args);
            let is_all = match (*node).boolop {
                pg_sys::BoolExprType::NOT_EXPR => {
                    return self.node(arguments.last()?, !negated);
                }
                pg_sys::BoolExprType::AND_EXPR => !negated,
                _ => negated,
            };
            let (mut parts, mut is_whole) = (Vec::new(), true);
            for argument in arguments {
                match self.node(argument, negated) {
                    Some(part) => {
                        is_whole &= part.is_whole;
                        parts.push(part.predicate);
                    }
                    // Without one of them the others let more through; of alternatives less.
                    None if is_all => is_whole = false,
                    None => return None,
                }
            }
            let predicate = if is_all { Predicate::All(parts) } else { Predicate::Any(parts) };
            Some(Read { predicate, is_whole })
        }
    }

    /// A boolean field is never NULL.
    ///
    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn boolean_test(
        &mut self,
        node: *mut pg_sys::BooleanTest,
        negated: bool,
    ) -> Option<Read> {
        use pg_sys::BoolTestType::{IS_FALSE, IS_NOT_FALSE, IS_NOT_TRUE, IS_TRUE};
        // SAFETY: as above.
        let (column, test) = unsafe { (self.column((*node).arg.cast())?, (*node).booltesttype) };
        let wanted = match test {
            IS_TRUE | IS_NOT_FALSE => true,
            IS_FALSE | IS_NOT_TRUE => false,
            _ => return None,
        };
        Some(Read { predicate: Predicate::Flag(column, wanted != negated), is_whole: true })
    }

    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn operator(&mut self, node: *mut pg_sys::OpExpr, negated: bool) -> Option<Predicate> {
        // SAFETY: as above; the arguments of an operator are expression nodes.
        unsafe {
            let name = self.operator_name((*node).opno, (*node).inputcollid)?;
            let arguments: Vec<*mut pg_sys::Node> = nodes((*node).args).collect();
            let [left, right] = arguments[..] else {
                return None;
            };
            if let Some(comparison) = Comparison::from_name(&name) {
                let (comparison, subject, other) = match self.column(left) {
                    Some(_) => (comparison, left, right),
                    None => (comparison.commuted(), right, left),
                };
                let comparison = if negated { comparison.negated() } else { comparison };
                let column = self.column(subject)?;
                let operand = self.operand(subject, other, false)?;
                return Some(Predicate::Compare(column, comparison, operand));
            }
            let (is_not, ignore_case) = match name.as_str() {
                "~~" => (false, false),
                "!~~" => (true, false),
                "~~*" => (false, true),
                "!~~*" => (true, true),
                _ => return None,
            };
            let column = self.column(left)?;
            let pattern = self.operand(left, right, false)?;
            Some(Predicate::Like { column, negated: is_not != negated, ignore_case, pattern })
        }
    }

    /// `= ANY` and `<> ALL`, which IN and NOT IN are.
    ///
    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn list(
        &mut self,
        node: *mut pg_sys::ScalarArrayOpExpr,
        negated: bool,
    ) -> Option<Predicate> {
        // SAFETY: as above.
        unsafe {
            let name = self.operator_name((*node).opno, (*node).inputcollid)?;
            let is_not = match (name.as_str(), (*node).useOr) {
                ("=", true) => false,
                ("<>", false) => true,
                _ => return None,
            };
            let arguments: Vec<*mut pg_sys::Node> = nodes((*node).args).collect();
            let [subject, list] = arguments[..] else {
                return None;
            };
            let column = self.column(subject)?;
            let list = self.operand(subject, list, true)?;
            Some(Predicate::Listed { column, negated: is_not != negated, list })
        }
    }

    /// The name of an operator of PostgreSQL's own that compares byte by byte.
    unsafe fn operator_name(
        &self,
        operator: pg_sys::Oid,
        collation: pg_sys::Oid,
    ) -> Option<String> {
        // SAFETY: the operator is one of the query; its name is a palloc'ed C string.
        unsafe {
            let is_own = operator.to_u32() < FIRST_FOREIGN_OID;
            (is_own && is_bytewise(collation)).then(|| text(pg_sys::get_opname(operator)))
        }
    }

    /// The column that an expression is, if a predicate may be about it.
    ///
    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn column(&self, node: *mut pg_sys::Node) -> Option<i16> {
        // SAFETY: as above.
        let attribute = unsafe { column_of(node, self.relid)? };
        self.compared.contains(&attribute).then_some(attribute)
    }

    unsafe fn class_of(&self, node: *mut pg_sys::Node) -> pg_sys::Oid {
        // SAFETY: as for `node`.
        unsafe { pg_sys::exprType(node) }
    }

    /// What a column is compared with: a constant, or something that is known before the scan.
    ///
    /// # Safety
    /// As for [`Reader::node`].
    unsafe fn operand(
        &mut self,
        subject: *mut pg_sys::Node,
        node: *mut pg_sys::Node,
        is_list: bool,
    ) -> Option<Operand> {
        // SAFETY: as above; the functions walk the tree and change nothing.
        unsafe {
            let found = self.class_of(node);
            let element = if is_list { pg_sys::get_element_type(found) } else { found };
            let column = self.class_of(subject);
            // Which moment such a value is depends on the session's time zone.
            let needs_zone = column == pg_sys::TIMESTAMPTZOID && element != column;
            if !is_comparable(column, element) || needs_zone && is_list {
                return None;
            }
            if is_a(node, NodeTag::T_Const) && !needs_zone {
                let constant = node.cast::<pg_sys::Const>();
                let value = constant_of((*constant).constvalue, (*constant).constisnull, found);
                return Some(Operand::Constant(value?));
            }
            let own = pg_sys::pull_varnos(self.root, node);
            if pg_sys::bms_is_member(self.relid as i32, own)
                || pg_sys::contain_volatile_functions(node)
                || pg_sys::contain_subplans(node)
            {
                return None;
            }
            if needs_zone {
                self.times.push(self.expressions.len());
            }
            self.expressions.push(node.cast());
            Some(Operand::Expression(self.expressions.len() - 1))
        }
    }
}

/// Whether texts of that collation are equal only if all their bytes are.
pub fn is_bytewise(collation: pg_sys::Oid) -> bool {
    // SAFETY: a question to PostgreSQL's caches.
    collation == pg_sys::InvalidOid || unsafe { pg_sys::get_collation_isdeterministic(collation) }
}

/// The column of that table that an expression is.
///
/// # Safety
/// The pointer is to an expression node.
pub unsafe fn column_of(node: *mut pg_sys::Node, relid: pg_sys::Index) -> Option<i16> {
    // SAFETY: as above; the tag says which struct a node is.
    unsafe {
        let mut node = node;
        // Of varchar text is made without a change.
        while is_a(node, NodeTag::T_RelabelType) {
            node = (*node.cast::<pg_sys::RelabelType>()).arg.cast();
        }
        if !is_a(node, NodeTag::T_Var) {
            return None;
        }
        let var = node.cast::<pg_sys::Var>();
        let is_own = (*var).varno == relid as i32 && (*var).varlevelsup == 0;
        (is_own && (*var).varattno > 0).then_some((*var).varattno)
    }
}

/// Whether a value of one type can be compared with a column of another as it is.
fn is_comparable(column: pg_sys::Oid, operand: pg_sys::Oid) -> bool {
    use pg_sys::{
        BOOLOID, DATEOID, FLOAT4OID, FLOAT8OID, INT2OID, INT4OID, INT8OID, NUMERICOID, TEXTOID,
        TIMESTAMPOID, TIMESTAMPTZOID, VARCHAROID,
    };
    match column {
        BOOLOID => operand == BOOLOID,
        INT4OID | INT8OID => matches!(operand, INT2OID | INT4OID | INT8OID),
        NUMERICOID => operand == NUMERICOID,
        FLOAT8OID => matches!(operand, FLOAT4OID | FLOAT8OID),
        TEXTOID | VARCHAROID => matches!(operand, TEXTOID | VARCHAROID),
        DATEOID => operand == DATEOID,
        TIMESTAMPTZOID => matches!(operand, TIMESTAMPTZOID | TIMESTAMPOID | DATEOID),
        _ => false,
    }
}

/// Whether an expression has a value only while the query runs, or never: EXPLAIN (GENERIC_PLAN)
/// has no parameters.
///
/// # Safety
/// The pointer is to an expression node.
pub unsafe fn depends_on_execution(
    node: *mut pg_sys::Node,
    parameters: pg_sys::ParamListInfo,
) -> bool {
    #[pgrx::pg_guard]
    unsafe extern "C-unwind" fn walker(node: *mut pg_sys::Node, parameters: *mut c_void) -> bool {
        if node.is_null() {
            return false;
        }
        // SAFETY: the tag says which struct a node is.
        unsafe {
            if is_a(node, NodeTag::T_Param) {
                let kind = (*node.cast::<pg_sys::Param>()).paramkind;
                return kind == pg_sys::ParamKind::PARAM_EXEC || parameters.is_null();
            }
            pg_sys::expression_tree_walker(node, Some(walker), parameters)
        }
    }
    // SAFETY: as above.
    unsafe { walker(node, parameters.cast()) }
}
