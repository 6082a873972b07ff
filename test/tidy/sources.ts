/** The project's own sources as the tidy tests see them: files, imports, exports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Folders of text that people wrote and read. */
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'wasm', 'kernels', 'examples', 'explorer'];
const CODE = /\.(tsx?|mjs|js|wgsl|css)$/;

export interface SourceFile {
  /** Path from the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** One import or re-export of a file of the project. `names` is undefined where the whole module is taken. */
export interface Import {
  /** The imported file's path, with the extension of its source. */
  readonly file: string;
  readonly names: readonly string[] | undefined;
}

/** All code files below the folders named, by path. */
export function sourceFiles(folders: readonly string[] = FOLDERS): SourceFile[] {
  return folders
    .flatMap((folder) => filesBelow(join(ROOT, folder)))
    .map((path) => ({
      path: relative(ROOT, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && CODE.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What `file` takes from files of the project. A built file under `dist/` counts as its source. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const take = (specifier: ts.Expression | undefined, names: readonly string[] | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const target = resolve(file.path, specifier.text);
    if (target !== undefined) found.push({ file: target, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) take(node.moduleSpecifier, namesOf(node.importClause));
    else if (ts.isExportDeclaration(node)) {
      const clause = node.exportClause;
      const named = clause !== undefined && ts.isNamedExports(clause);
      take(
        node.moduleSpecifier,
        named ? clause.elements.map(({ propertyName, name }) => (propertyName ?? name).text) : undefined,
      );
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      take(node.arguments[0], undefined);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      take(node.argument.literal as ts.Expression, undefined);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  // Programs that a test writes and runs: their text is a string there.
  for (const [, names, path] of file.text.matchAll(/import \{([^}]*)\} from '\.\/dist\/([^']+)\.js'/g)) {
    found.push({ file: `src/${path}.ts`, names: names.split(',').map((name) => name.trim()) });
  }
  return found;
}

/** An exported name. A type that the file itself mentions is part of what it exports beside it. */
export interface Exported {
  readonly name: string;
  readonly isMentionedType: boolean;
}

/** What `file` exports by name. */
export function exportsOf(file: SourceFile): Exported[] {
  return parse(file)
    .statements.filter(isExported)
    .flatMap((statement) => {
      const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
      return declaredNames(statement).map((name) => {
        const mentions = file.text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? [];
        return { name, isMentionedType: isType && mentions.length > 1 };
      });
    });
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement)
    ? (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    : false;
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => namesOfBinding(name));
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.text];
}

function namesOfBinding(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesOfBinding(element.name) : []));
}

/** undefined: the whole module. */
function namesOf(clause: ts.ImportClause | undefined): readonly string[] | undefined {
  const bindings = clause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return undefined;
  return bindings.elements.map(({ propertyName, name }) => (propertyName ?? name).text);
}

const parsed = new Map<string, ts.SourceFile>();

function parse({ path, text }: SourceFile): ts.SourceFile {
  let tree = parsed.get(path);
  if (tree === undefined) {
    tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
    parsed.set(path, tree);
  }
  return tree;
}

/** The file of the project that `specifier` names in the file at `path`; undefined for a package. */
function resolve(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = join(dirname(path), specifier).split(sep).join('/');
  if (target.startsWith('dist/')) return `src/${target.slice(5).replace(/\.js$/, '.ts')}`;
  if (!/^(src|test|explorer)\//.test(target)) return target;
  const source = target.replace(/\.js$/, '.ts');
  return existsSync(join(ROOT, source)) ? source : source.replace(/\.ts$/, '.tsx');
}
