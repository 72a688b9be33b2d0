/// The triggers with which a database refuses writes: every process obeys them, whatever its version, from the commit on that
/// makes them, and without them nothing is asked and nothing costs.
///
/// Making one waits for the writers of its table that are under way, so that no transaction slips through. A refused statement
/// fails with ``SQLError/Kind/frozen``.
package enum SQLWriteBarrier: Sendable {
    /// SQLite: for each sort of statement one on each table, which is asked for every row.
    case rowTriggers
    /// Postgres: one on each table for all sorts of statements, with a function that they share.
    case statementTriggers

    /// What is refused.
    enum Scope: Sendable {
        /// An upload that has no row yet. Those that have one go on.
        case newUploads
        /// Every change of any row, the settings and the journal of the migrations included.
        case everything
    }

    /// What a refused statement says.
    package static let message = "storaged: the metadata are being moved"

    /// The SQLSTATE of a refused statement, where a database has such; neither a standard nor a server uses the class `SF`.
    package static let state = "SF001"

    /// The script that makes the triggers; there must be none of the scope.
    func raising(_ scope: Scope) -> String {
        switch (self, scope) {
        case (.rowTriggers, .newUploads):
            """
            CREATE TRIGGER closing_uploads BEFORE INSERT ON uploads
            WHEN NOT EXISTS (SELECT 1 FROM uploads WHERE id = NEW.id) BEGIN \(Self.raise); END;
            """
        case (.rowTriggers, .everything):
            Self.script { table in
                Self.verbs.map { verb in
                    "CREATE TRIGGER frozen_\(table)_\(verb) BEFORE \(verb) ON \(table) BEGIN \(Self.raise); END;"
                }.joined(separator: "\n")
            }
        case (.statementTriggers, .newUploads):
            """
            CREATE FUNCTION storaged_closing() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM uploads WHERE id = NEW.id) THEN \(Self.raiseException); END IF;
                RETURN NEW;
            END $body$;
            CREATE TRIGGER closing BEFORE INSERT ON uploads FOR EACH ROW EXECUTE PROCEDURE storaged_closing();
            """
        case (.statementTriggers, .everything):
            """
            CREATE FUNCTION storaged_frozen() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
                \(Self.raiseException);
            END $body$;

            """
                + Self.script { table in
                    """
                    CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON \(table)
                    FOR EACH STATEMENT EXECUTE PROCEDURE storaged_frozen();
                    """
                }
        }
    }

    /// The script that takes the triggers of ``raising(_:)`` away, as many as there are: another version may know other tables.
    func lowering(_ scope: Scope) -> String {
        switch (self, scope) {
        case (.rowTriggers, .newUploads):
            "DROP TRIGGER IF EXISTS closing_uploads;"
        case (.rowTriggers, .everything):
            Self.script { table in
                Self.verbs.map { "DROP TRIGGER IF EXISTS frozen_\(table)_\($0);" }.joined(separator: "\n")
            }
        case (.statementTriggers, .newUploads):
            "DROP TRIGGER IF EXISTS closing ON uploads; DROP FUNCTION IF EXISTS storaged_closing();"
        case (.statementTriggers, .everything):
            Self.script { "DROP TRIGGER IF EXISTS frozen ON \($0);" } + "DROP FUNCTION IF EXISTS storaged_frozen();"
        }
    }

    /// Statements for every table that holds anything.
    private static func script(_ statements: (String) -> String) -> String {
        (StoredTable.all.map(\.name) + ["migrations"]).map { statements($0) + "\n" }.joined()
    }

    private static let verbs = ["INSERT", "UPDATE", "DELETE"]
    private static let raise = "SELECT RAISE(ABORT, '\(message)')"
    private static let raiseException = "RAISE EXCEPTION '\(message)' USING ERRCODE = '\(state)'"
}
