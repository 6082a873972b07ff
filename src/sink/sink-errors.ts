/** What the errors of PostgreSQL and of its client mean here. */
import { EnvironmentError, WarpshrewError } from '../errors/errors.js';

/** Classes of SQLSTATE, or whole codes: credentials, an unknown database, missing rights. */
const REFUSED = /^(28...|3D000|42501)$/;
/** A connection that ends, a server that starts or stops, one that has too many clients, a standby. */
const AWAY = /^(08...|57P0.|53300|25006|40...|55P03|57014|25P0[23])$/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Whether no statement can follow: the connection is lost, or the server ends it. */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error instanceof WarpshrewError) return false;
  return !isState(String(error.code)) || ('severity' in error && error.severity !== 'ERROR');
}

/** Errors of the system have names of five letters, too. */
function isState(code: string): boolean {
  return SQLSTATE.test(code) && !code.startsWith('E');
}

/** The error, as this program reports it; never with credentials. */
export function sinkError(error: unknown): WarpshrewError {
  if (error instanceof WarpshrewError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  const facts = { reason: message.slice(0, 500), ...(code !== '' && { reasonCode: code }) };
  const cause = error;
  if (isState(code)) {
    if (REFUSED.test(code)) {
      return new EnvironmentError('SINK_REFUSED', 'the database of the sink refuses this user', { facts, cause });
    }
    if (!AWAY.test(code)) {
      return new EnvironmentError('SINK_FAILED', 'the database of the sink refuses rows', { facts, cause });
    }
  } else if (code === '') throw error;
  return new EnvironmentError('SINK_AWAY', 'the database of the sink cannot be reached', {
    facts,
    hint: 'Rows are written once it is there again: nothing is lost.',
    cause,
  });
}
