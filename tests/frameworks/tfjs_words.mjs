// Write what TensorFlow.js itself brings: run where its npm package is, without arguments.
//
// What it writes is checked in: `src/modelshelf/formats/tfjs_words.json`. Operators are those that
// the converter's package maps, layers and the classes around them those that `tf.layers` registers.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const require = createRequire(join(root, ".venv", "environments", "tfjs", "main.js"));
const tf = require("@tensorflow/tfjs");

const bundle = readFileSync(require.resolve("@tensorflow/tfjs-converter"), "utf8");
const operators = new Set([...bundle.matchAll(/tfOpName'?: '(\w+)'/g)].map((found) => found[1]));
const registered = tf.serialization.SerializationMap.getMap().classNameMap;
const names = Object.keys(registered).sort();
const isLayer = (name) => registered[name][0].prototype instanceof tf.layers.Layer;
const words = {
  layers: names.filter(isLayer),
  others: names.filter((name) => !isLayer(name)),
  operators: [...operators].sort(),
};
const target = join(root, "src", "modelshelf", "formats", "tfjs_words.json");
writeFileSync(target, `${JSON.stringify(words, null, 1)}\n`);
