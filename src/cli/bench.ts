export async function benchCommand(_w: string, _o: unknown): Promise<{ text: string; exitStatus: number }> {
  return { text: '', exitStatus: 0 };
}
