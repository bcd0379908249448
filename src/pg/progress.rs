//! What pg_stat_get_progress_info shows of a backend.

use pgrx::pg_sys;

/// The parameters of a backend's progress, as commands/progress.h numbers those of COPY, and
/// behind them those of this extension. The view odoo_sync_progress counts them from 1.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub table: pg_sys::Oid,
    pub server: pg_sys::Oid,
    pub phase: i64,
    pub pages: i64,
    pub rows: i64,
    pub total: i64,
    /// Milliseconds since 1970.
    pub started: i64,
}

/// By which the view knows this extension's own progress among that of COPY.
const PROGRESS_SIGN: i64 = 7_366_746;

/// Shows to other sessions how far this one is, at once and without a transaction: as a COPY
/// from a callback, which is how PostgreSQL shows its own table synchronisation.
pub fn show_progress(progress: &Progress) {
    const COPY_FROM: i64 = 1;
    const FROM_CALLBACK: i64 = 4;
    let values = [
        (2, progress.rows),
        (4, COPY_FROM),
        (5, FROM_CALLBACK),
        (10, PROGRESS_SIGN),
        (11, i64::from(progress.server.to_u32())),
        (12, progress.phase),
        (13, progress.pages),
        (14, progress.total),
        (15, progress.started),
    ];
    // SAFETY: they write to the backend's own entry, at places below PGSTAT_NUM_PROGRESS_PARAM.
    unsafe {
        let command = pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY;
        pg_sys::pgstat_progress_start_command(command, progress.table);
        for (index, value) in values {
            pg_sys::pgstat_progress_update_param(index, value);
        }
    }
}

/// Ends what [`show_progress`] shows; an error does so too.
pub fn hide_progress() {
    // SAFETY: it clears the backend's own entry.
    unsafe { pg_sys::pgstat_progress_end_command() }
}
