/** Tables of the documentation that are made from the sources: each lies between two marks in its page. */

/** A page with `text` between the marks of the table `name`. Throws if the page lacks the marks. */
export function withTable(page, name, text) {
  const [begin, end] = [`<!-- generated: ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no marks of the table ${name}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** The tables of error codes, one a class (src/errors/codes/registry.ts). */
export function errorTables(classes, exit) {
  return classes
    .map(({ name, title, exit: kind, codes }) => {
      const numbers = Object.values(codes).some((texts) => texts.length > 2);
      const ends = kind === undefined ? '' : `exit status ${exit[kind]}`;
      const facts = [name === undefined ? '' : `\`${name}\``, ends].filter((fact) => fact !== '').join(', ');
      const head = numbers
        ? '| code | what is wrong | what to do | JSON-RPC | HTTP |\n| --- | --- | --- | --- | --- |'
        : '| code | what is wrong | what to do |\n| --- | --- | --- |';
      const rows = Object.entries(codes).map(([code, [meaning, action, rpc, http]]) => {
        const answer = rpc === undefined ? '- | -' : `${rpc} | ${http ?? 200}`;
        return `| \`${code}\` | ${meaning} | ${action} |${numbers ? ` ${answer} |` : ''}`;
      });
      return [`## ${title}\n`, ...(facts === '' ? [] : [`${facts}.\n`]), head, ...rows, ''].join('\n');
    })
    .join('\n');
}
