/** What the client of NATS throws, as errors of this program. */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { StreamError, WarpshrewError } from '../../errors/errors.js';

const { StreamNotFound, StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
const TAKEN: readonly number[] = [StreamWrongLastSequence, StreamWrongLastSequenceUnknown];

/** Whether the server says that it has no stream of that name. */
export function isMissing(error: unknown): error is JetStreamApiError {
  return error instanceof JetStreamApiError && error.code === StreamNotFound;
}

/** `server`: without user and password. */
export function streamError(error: unknown, server: string): WarpshrewError {
  if (error instanceof WarpshrewError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const options = { facts: { server, reason }, cause: error };
  if (isMissing(error)) {
    return new StreamError('STREAM_MISSING', 'the NATS server has no such stream', {
      ...options,
      hint: 'Check its name; it is made by the first index that runs with --publish.',
    });
  }
  if (error instanceof JetStreamApiError) {
    if (TAKEN.includes(error.code)) {
      return new StreamError('STREAM_TAKEN', 'another publisher has written to the stream meanwhile', options);
    }
    return refused('the NATS server refuses the request', options);
  }
  if ((error instanceof Error && error.name === 'JetStreamNotEnabled') || error instanceof errors.NoRespondersError) {
    return refused('the NATS server has no JetStream for this account', options);
  }
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return refused('the NATS server refuses the login', options);
  }
  if (error instanceof errors.PermissionViolationError) return refused('the NATS server forbids it', options);
  return unreachable(server, reason, error);
}

function refused(message: string, options: ConstructorParameters<typeof StreamError>[2]): StreamError {
  return new StreamError('STREAM_REFUSED', message, {
    ...options,
    hint: 'See the reason, and the log of that server.',
  });
}

export function unreachable(server: string, reason: string, cause?: unknown): StreamError {
  return new StreamError('STREAM_UNREACHABLE', 'the NATS server does not answer', {
    facts: { server, reason },
    hint: 'Check that it runs, and the address.',
    cause,
  });
}
