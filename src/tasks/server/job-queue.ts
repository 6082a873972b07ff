import { PRIORITIES, type Priority } from './messages.js';

/**
 * Jobs that wait: those of a better priority first, and among equals one of each client in turn, however many another
 * one has.
 */
export class JobQueue<Client, Job> {
  /** By priority: the clients that have such jobs, the next one first. A Map iterates in order of insertion. */
  readonly #waiting = new Map<Priority, Map<Client, Job[]>>(PRIORITIES.map((priority) => [priority, new Map()]));
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(client: Client, priority: Priority, job: Job): void {
    const clients = this.#of(priority);
    const jobs = clients.get(client);
    if (jobs === undefined) clients.set(client, [job]);
    else jobs.push(job);
    this.#size++;
  }

  /** The next one; undefined if none waits. */
  take(): { readonly client: Client; readonly job: Job } | undefined {
    for (const priority of PRIORITIES) {
      const clients = this.#of(priority);
      for (const [client, jobs] of clients) {
        const job = jobs.shift();
        clients.delete(client);
        if (jobs.length > 0) clients.set(client, jobs);
        if (job === undefined) continue;
        this.#size--;
        return { client, job };
      }
    }
    return undefined;
  }

  /** Forgets the jobs of a client. */
  forget(client: Client): void {
    for (const priority of PRIORITIES) {
      const clients = this.#of(priority);
      this.#size -= clients.get(client)?.length ?? 0;
      clients.delete(client);
    }
  }

  #of(priority: Priority): Map<Client, Job[]> {
    const clients = this.#waiting.get(priority);
    if (clients === undefined) throw new RangeError('no such priority');
    return clients;
  }
}
