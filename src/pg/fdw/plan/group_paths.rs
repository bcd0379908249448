//! GetForeignUpperPaths: rows counted and summed up, in groups.

use std::ptr;

use pgrx::nodes::is_a;
use pgrx::pg_sys::{self, NodeTag, UpperRelationKind};

use super::conditions::{FIRST_FOREIGN_OID, column_of, is_bytewise};
use super::paths::REQUESTS;
use super::planned::{Kept, keep, planned};
use crate::pg::compat::{self, Estimate};
use crate::pg::fdw::asked::{Aggregate, Function, Grouping, Groups, PathPlan};
use crate::pg::fdw::contract::Table;
use crate::pg::fdw::private::to_list;
use crate::pg::nodes::{nodes, text};

/// What the wrapper's side takes for a row that it groups, and for a group that it sends.
const GROUPED_ROW: f64 = 0.02;
const GROUP: f64 = 0.5;

/// The groups of a table whose rows the wrapper picks exactly.
///
/// # Safety
/// The planner is at work, and the relations are its own.
pub unsafe fn group_path<T: Table>(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
) {
    // SAFETY: as above.
    unsafe {
        let query = (*root).parse;
        let is_plain = (*query).groupingSets.is_null()
            && (*input).reloptkind == pg_sys::RelOptKind::RELOPT_BASEREL
            && !pg_sys::contain_subplans((*query).havingQual);
        let Some(planned) = planned::<T>(input).filter(|planned| planned.is_exact && is_plain)
        else {
            return;
        };
        let Some((grouping, shown)) = read(root, input) else {
            return;
        };
        let about = number(root, input, shown);
        let fallback = match planned.table.groups(&grouping, about) {
            Groups::Never => return,
            Groups::Always => ptr::null_mut(),
            Groups::Perhaps => match local_path(root, input, output, shown, about) {
                Some(path) => path,
                None => return,
            },
        };
        keep::<T>(output, Kept::Grouped(input, (*shown).exprs));
        let (rows, work) = match fallback.as_ref() {
            None => (about, 0.0),
            Some(local) => (local.rows, (*input).rows * GROUPED_ROW + about * GROUP),
        };
        // No page waits for a search.
        let startup = REQUESTS / 2.0;
        let estimate = Estimate { rows, startup, total: startup + work };
        let private = to_list(&PathPlan { grouping: Some(grouping), ..PathPlan::default() });
        let target = (*root).upper_targets[UpperRelationKind::UPPERREL_GROUP_AGG as usize];
        let unsorted = ptr::null_mut();
        let path = compat::foreign_upper_path(
            root, output, target, &estimate, unsorted, fallback, private,
        );
        pg_sys::add_path(output, path.cast());
    }
}

/// What a query groups by, and the aggregates that it needs of each group.
unsafe fn read(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
) -> Option<(Grouping, *mut pg_sys::PathTarget)> {
    // SAFETY: as for `group_path`; the targets and HAVING are lists of expressions.
    unsafe {
        let (query, relid) = ((*root).parse, (*input).relid);
        let (mut grouping, shown) = (Grouping::default(), pg_sys::create_empty_pathtarget());
        for clause in nodes::<pg_sys::SortGroupClause>((*query).groupClause) {
            let reference = (*clause).tleSortGroupRef;
            let entry = pg_sys::get_sortgroupref_tle(reference, (*root).processed_tlist);
            let expression = (*entry).expr.cast();
            let is_own = (*clause).eqop.to_u32() < FIRST_FOREIGN_OID;
            if !is_own || !is_bytewise(pg_sys::exprCollation(expression)) {
                return None;
            }
            grouping.by.push(column_of(expression, relid)?);
            pg_sys::add_column_to_pathtarget(shown, expression.cast(), reference);
        }
        let target = (*root).upper_targets[UpperRelationKind::UPPERREL_GROUP_AGG as usize];
        let flags = (pg_sys::PVC_INCLUDE_AGGREGATES | pg_sys::PVC_INCLUDE_PLACEHOLDERS) as i32;
        let parts = |node| nodes::<pg_sys::Node>(pg_sys::pull_var_clause(node, flags));
        for part in parts((*target).exprs.cast()).chain(parts((*query).havingQual)) {
            if pg_sys::list_member((*shown).exprs, part.cast()) {
                continue;
            }
            grouping.aggregates.push(aggregate(part, relid)?);
            pg_sys::add_column_to_pathtarget(shown, part.cast(), 0);
        }
        (!(*shown).exprs.is_null()).then_some((grouping, shown))
    }
}

/// An aggregate of PostgreSQL's own over all values of a column, or over all rows.
unsafe fn aggregate(node: *mut pg_sys::Node, relid: pg_sys::Index) -> Option<Aggregate> {
    // SAFETY: the pointer is to an expression; the tag says which struct a node is.
    unsafe {
        if !is_a(node, NodeTag::T_Aggref) {
            return None;
        }
        let aggregate = &*node.cast::<pg_sys::Aggref>();
        let is_plain = aggregate.aggfilter.is_null()
            && aggregate.aggdistinct.is_null()
            && aggregate.aggorder.is_null()
            && aggregate.aggdirectargs.is_null()
            && !aggregate.aggvariadic
            && aggregate.aggfnoid.to_u32() < FIRST_FOREIGN_OID;
        if !is_plain {
            return None;
        }
        let function = Function::from_name(&text(pg_sys::get_func_name(aggregate.aggfnoid)))?;
        let arguments: Vec<*mut pg_sys::TargetEntry> = nodes(aggregate.args).collect();
        let attribute = match arguments[..] {
            [] if aggregate.aggstar => None,
            [argument] => Some(column_of((*argument).expr.cast(), relid)?),
            _ => return None,
        };
        Some(Aggregate { function, attribute })
    }
}

/// About how many groups there are.
unsafe fn number(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    shown: *mut pg_sys::PathTarget,
) -> f64 {
    // SAFETY: as for `group_path`; the first expressions are those that rows are grouped by.
    unsafe {
        let by = nodes::<pg_sys::Node>((*(*root).parse).groupClause).count();
        if by == 0 {
            return 1.0;
        }
        let mut expressions = ptr::null_mut();
        for expression in nodes::<pg_sys::Node>((*shown).exprs).take(by) {
            expressions = pg_sys::lappend(expressions, expression.cast());
        }
        let (sets, facts) = (ptr::null_mut(), ptr::null_mut());
        pg_sys::estimate_num_groups(root, expressions, (*input).rows, sets, facts)
    }
}

/// PostgreSQL's own way to the same groups, in case that the wrapper's are not sure.
unsafe fn local_path(
    root: *mut pg_sys::PlannerInfo,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    shown: *mut pg_sys::PathTarget,
    about: f64,
) -> Option<*mut pg_sys::Path> {
    // SAFETY: as for `group_path`.
    unsafe {
        let (query, clauses) = ((*root).parse, compat::group_clauses(root));
        let strategy = match (*query).groupClause.is_null() {
            true => pg_sys::AggStrategy::AGG_PLAIN,
            false if pg_sys::grouping_is_hashable(clauses) => pg_sys::AggStrategy::AGG_HASHED,
            false => return None,
        };
        let costs = pg_sys::AggClauseCosts::default();
        let path = pg_sys::create_agg_path(
            root,
            output,
            (*input).cheapest_total_path,
            pg_sys::set_pathtarget_cost_width(root, shown),
            strategy,
            pg_sys::AggSplit::AGGSPLIT_SIMPLE,
            clauses,
            (*query).havingQual.cast(),
            &costs,
            about,
        );
        Some(path.cast())
    }
}
