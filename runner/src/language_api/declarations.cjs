// Prints what a package exports, as the TypeScript compiler resolves its declarations: one entry per exported name, with
// its kind, its parameters and its type. Reads files only; runs none of the package's code.
"use strict";
const path = require("node:path");
const fs = require("node:fs");
const [, , compiler, folder] = process.argv;
const ts = require(compiler);

const root = path.resolve(folder);
const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
const target = (value) => {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(target).find(Boolean);
  if (!value) return undefined;
  for (const key of ["types", "import", "require", "node", "default"]) {
    const found = target(value[key]);
    if (found) return found;
  }
  return undefined;
};
const main = manifest.exports && (manifest.exports["."] ?? manifest.exports);
const named = target(main) ?? manifest.types ?? manifest.typings ?? manifest.main ?? "index.js";
const candidates = [manifest.types, manifest.typings, named, named.replace(/\.([cm]?)js$/, ".d.$1ts"), named + ".d.ts", "index.d.ts"];
const entry = candidates
  .filter((file) => file && /\.d\.[cm]?ts$/.test(file))
  .map((file) => path.join(root, file))
  .find((file) => fs.existsSync(file));
if (!entry) {
  console.log(JSON.stringify({ version: manifest.version, declared: false, exports: [] }));
  process.exit(0);
}
const options = { noLib: false, skipLibCheck: true, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const program = ts.createProgram([entry], options);
const checker = program.getTypeChecker();
const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
const written = (type) => checker.typeToString(type, undefined, flags).slice(0, 300);

const signature = (of) => ({
  generics: (of.typeParameters ?? []).map((one) => written(one)),
  parameters: of.parameters.map((parameter) => {
    const declaration = parameter.valueDeclaration;
    return {
      name: parameter.name,
      optional: !!declaration && (!!declaration.questionToken || !!declaration.initializer),
      rest: !!declaration && !!declaration.dotDotDotToken,
      type: declaration ? written(checker.getTypeOfSymbolAtLocation(parameter, declaration)) : "unknown",
    };
  }),
  returns: written(of.getReturnType()),
});

const place = (symbol) => {
  const declaration = symbol.declarations?.[0];
  if (!declaration) return { file: "", line: 0 };
  const file = declaration.getSourceFile();
  const line = file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1;
  return { file: path.relative(root, file.fileName), line };
};

const seen = new Set();
let count = 0;
const describe = (name, symbol, depth) => {
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const declaration = real.valueDeclaration ?? real.declarations?.[0];
  const type = !declaration
    ? undefined
    : real.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)
      ? checker.getDeclaredTypeOfSymbol(real)
      : checker.getTypeOfSymbolAtLocation(real, declaration);
  const value = declaration && real.flags & ts.SymbolFlags.Value ? checker.getTypeOfSymbolAtLocation(real, declaration) : undefined;
  const entry = { name, ...place(real), type: type ? written(type) : "unknown", calls: [], news: [], members: [] };
  entry.kind = real.flags & ts.SymbolFlags.Class ? "class"
    : real.flags & ts.SymbolFlags.Interface ? "interface"
    : real.flags & ts.SymbolFlags.Function ? "function"
    : real.flags & ts.SymbolFlags.TypeAlias ? "type"
    : real.flags & ts.SymbolFlags.Module ? "namespace"
    : real.flags & ts.SymbolFlags.Enum ? "enum"
    : real.flags & ts.SymbolFlags.Method ? "function"
    : "value";
  if (value) {
    entry.calls = value.getCallSignatures().map(signature);
    entry.news = value.getConstructSignatures().map(signature);
    if (entry.kind === "value" && entry.calls.length > 0) entry.kind = "function";
  }
  const own = new Map();
  if (depth < 3 && !seen.has(real) && ++count < 20000) {
    seen.add(real);
    if (real.flags & (ts.SymbolFlags.Module | ts.SymbolFlags.Enum)) {
      for (const member of checker.getExportsOfModule(real)) own.set(member.name, member);
    }
    if (type && real.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) {
      for (const member of type.getProperties()) own.set(member.name, member);
    }
    const hidden = (member) => member.name.startsWith("#") || (ts.getCombinedModifierFlags(member.valueDeclaration ?? declaration) & ts.ModifierFlags.Private);
    for (const [key, member] of own) if (!hidden(member)) entry.members.push(describe(key, member, depth + 1));
  }
  return entry;
};

const source = program.getSourceFile(entry);
const module_ = source && checker.getSymbolAtLocation(source);
const exported = module_ ? checker.getExportsOfModule(module_) : [];
const whole = module_?.exports?.get("export=");
const entries = exported.map((symbol) => describe(symbol.name, symbol, 0));
if (whole) entries.push(describe("=", whole, 0));
console.log(JSON.stringify({ version: manifest.version, declared: !!module_, exports: entries }));
