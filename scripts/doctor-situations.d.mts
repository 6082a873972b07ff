export interface Situation {
  readonly name: string;
  readonly title: string;
}

export const SITUATIONS: readonly Situation[];
export function transcriptOf(name: string): Promise<string | undefined>;
export function withoutWhatVaries(stdout: string, db: string): string;
export function doctorPage(transcripts: ReadonlyMap<string, string>): string;
export function transcriptIn(page: string, name: string): string | undefined;
