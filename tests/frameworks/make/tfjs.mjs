// Models that TensorFlow.js writes, and what it says of each when it has loaded it again.
//
// Run with a folder as its argument, where npm has installed `@tensorflow/tfjs`. With `tell` after
// it, nothing is made: what lies in the folder already, as `tfjs_converter.py` leaves it, is told of.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const require = createRequire(join(root, ".venv", "environments", "tfjs", "main.js"));
const tf = require("@tensorflow/tfjs");

const SHARD_BYTES = 100;
const target = join(process.argv[2], "tfjs");

// What the file handlers of TensorFlow.js write: model.json, and the weights in shards beside it.
function writer(name, group) {
  return tf.io.withSaveHandler(async (artifacts) => {
    const folder = join(target, `${name}.tfjs`);
    mkdirSync(folder, { recursive: true });
    const data = Buffer.from(tf.io.CompositeArrayBuffer.join(artifacts.weightData));
    const count = Math.max(1, Math.ceil(data.length / SHARD_BYTES));
    const paths = [...Array(count).keys()].map((i) => `${group}-shard${i + 1}of${count}.bin`);
    paths.forEach((path, i) =>
      writeFileSync(join(folder, path), data.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES)),
    );
    const { weightData, weightSpecs, ...kept } = artifacts;
    const manifest = [{ paths, weights: weightSpecs }];
    writeFileSync(
      join(folder, "model.json"),
      JSON.stringify({ ...kept, weightsManifest: manifest }),
    );
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
}

// The loader that browsers use, with a disk in place of the network.
function loader(folder) {
  const fetchFunc = async (url) => {
    const path = join(folder, url.split("/").pop());
    return existsSync(path) ? new Response(readFileSync(path)) : new Response("", { status: 404 });
  };
  return tf.io.http("http://models/model.json", { fetchFunc });
}

async function artifacts(name) {
  return loader(join(target, `${name}.tfjs`)).load();
}

function stored(specs) {
  return Object.fromEntries(
    specs.map((spec) => [spec.name, [spec.quantization?.dtype ?? spec.dtype, spec.shape]]),
  );
}

function count(specs) {
  const own = specs.filter((spec) => spec.group !== "optimizer");
  return own.reduce((sum, spec) => sum + tf.util.sizeFromShape(spec.shape), 0);
}

const open = (shape) => shape?.map((size) => (size === null || size < 0 ? null : size)) ?? null;

const DTYPES = { DT_FLOAT: "float32", DT_BOOL: "bool", DT_INT32: "int32" };

// An entry of `GraphModel.modelSignature`.
function outOf({ dtype, tensorShape }) {
  const sizes = (tensorShape.dim ?? []).map((dim) => Number(dim.size));
  return [DTYPES[dtype], tensorShape.unknownRank ? null : open(sizes)];
}

function tell(name, facts) {
  writeFileSync(join(target, `${name}.tfjs.json`), `${JSON.stringify(facts, null, 1)}\n`);
}

async function layers(name, model, { config, risks } = {}) {
  await model.save(writer(name, "group1"), config);
  await tellLayers(name, risks);
}

async function tellLayers(name, risks = []) {
  const { weightSpecs } = await artifacts(name);
  const loaded = await tf.loadLayersModel(loader(join(target, `${name}.tfjs`)));
  const outputs = loaded.outputs.map((tensor) => [tensor.sourceLayer.name, [tensor.dtype, null]]);
  const inputs = loaded.inputs.map((tensor) => [
    tensor.sourceLayer.name,
    [tensor.dtype, open(tensor.shape)],
  ]);
  const kinds = new Set();
  const gather = (layer) => {
    kinds.add(layer.getClassName());
    for (const each of layer.layers ?? []) gather(each);
    for (const each of [layer.layer, layer.cell, layer.forwardLayer, layer.backwardLayer]) {
      if (each && each !== layer && layer.getClassName() !== "LSTM") gather(each);
    }
  };
  loaded.layers.forEach(gather);
  tell(name, {
    tensors: stored(weightSpecs),
    signatures: {
      default: { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) },
    },
    ops: [...kinds].sort(),
    parameters: count(weightSpecs),
    framework_version: tf.version.tfjs,
    risks,
  });
}

async function graph(name, parts, { values = {}, risks } = {}) {
  const tensors = Object.entries(values).map(([each, tensor]) => ({ name: each, tensor }));
  const { data, specs } = await tf.io.encodeWeights(tensors);
  const given = { format: "graph-model", generatedBy: "2.19.0", weightSpecs: specs };
  const model = await tf.loadGraphModel(
    tf.io.fromMemory({
      ...given,
      convertedBy: `TensorFlow.js Converter v${tf.version["tfjs-converter"]}`,
      weightData: data,
      ...parts,
    }),
  );
  await model.save(writer(name, "group1"));
  await tellGraph(name, risks);
}

async function tellGraph(name, risks = []) {
  const loaded = await tf.loadGraphModel(loader(join(target, `${name}.tfjs`)));
  const { weightSpecs, modelTopology, modelInitializer } = await artifacts(name);
  const signed = loaded.modelSignature;
  const keys = loaded.structuredOutputKeys ?? loaded.outputNodes;
  const inputs = loaded.inputs.map((each, i) => [
    loaded.executor.inputNodes[i],
    [each.dtype ?? "unknown", open(each.shape)],
  ]);
  const outputs = loaded.outputs.map((each, i) => [
    keys[i],
    signed?.outputs ? outOf(signed.outputs[loaded.outputNodes[i]]) : ["unknown", null],
  ]);
  // Tables are handed over by TensorFlow.js itself.
  const own = inputs.filter(([each]) => signed?.inputs?.[each]?.resourceId === undefined);
  const nodes = [
    ...modelTopology.node,
    ...(modelTopology.library?.function ?? []).flatMap((each) => each.nodeDef),
    ...(modelInitializer?.node ?? []),
  ];
  tell(name, {
    tensors: stored(weightSpecs),
    signatures: {
      default: { inputs: Object.fromEntries(own), outputs: Object.fromEntries(outputs) },
    },
    ops: [...new Set(nodes.map((node) => node.op))].sort(),
    parameters: count(weightSpecs),
    framework_version: tf.version["tfjs-converter"],
    risks,
  });
}

class Scale extends tf.layers.Layer {
  static className = "Scale";

  build(shape) {
    this.factor = this.addWeight("factor", [shape.at(-1)], "float32", tf.initializers.ones());
  }

  call(inputs) {
    return tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, this.factor.read());
  }

  computeOutputShape(shape) {
    return shape;
  }
}
tf.serialization.registerClass(Scale);

function twoInputs() {
  const words = tf.input({ shape: [null, 4], name: "words" });
  const token = tf.input({ shape: [1], name: "token", dtype: "int32" });
  const inner = tf.sequential({
    name: "inner",
    layers: [tf.layers.dense({ units: 3, inputShape: [2], name: "narrow" })],
  });
  const states = tf.layers
    .bidirectional({ layer: tf.layers.lstm({ units: 1 }), mergeMode: "concat", name: "both" })
    .apply(words);
  const meaning = tf.layers.embedding({ inputDim: 5, outputDim: 2, name: "meaning" }).apply(token);
  const embedded = tf.layers.flatten({ name: "flat" }).apply(meaning);
  const joined = tf.layers.add({ name: "joined" }).apply([states, embedded]);
  const model = tf.model({
    inputs: [words, token],
    outputs: [inner.apply(joined), tf.layers.softmax({ name: "scores" }).apply(joined)],
  });
  model.compile({ optimizer: tf.train.adam(), loss: ["meanSquaredError", "meanSquaredError"] });
  return model;
}

const float = { type: "DT_FLOAT" };
const shaped = (...sizes) => ({ dim: sizes.map((size) => ({ size: String(size) })) });
const placeholder = (name, shape, dtype = "DT_FLOAT") => ({
  name,
  op: "Placeholder",
  attr: { dtype: { type: dtype }, ...(shape && { shape: { shape } }) },
});
const constant = (name, dtype = "DT_FLOAT") => ({ name, op: "Const", attr: { dtype: { type: dtype } } });
const versions = { producer: 1882, minConsumer: 12 };
const product = [
  placeholder("x", shaped(-1, 3)),
  constant("w"),
  { name: "y", op: "MatMul", input: ["x", "w"], attr: { T: float, transpose_a: { b: false } } },
  { name: "Identity", op: "Identity", input: ["y"], attr: { T: float } },
];
const weights = { w: tf.ones([3, 2]) };

async function make() {
  await layers(
    "dense",
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, inputShape: [6], activation: "relu", name: "hidden" }),
        tf.layers.dense({ units: 2, name: "scores" }),
      ],
    }),
  );
  await layers("branches", twoInputs(), { config: { includeOptimizer: true } });
  await layers(
    "custom",
    tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [3] }), new Scale({ name: "scale" })] }),
    { risks: ["custom-class"] },
  );
  await graph(
    "signature",
    {
      modelTopology: { node: product, versions },
      signature: {
        inputs: { image: { name: "x:0", dtype: "DT_FLOAT", tensorShape: shaped(-1, 3) } },
        outputs: { scores: { name: "Identity:0", dtype: "DT_FLOAT", tensorShape: shaped(-1, 2) } },
      },
    },
    { values: weights },
  );
  await graph("unsigned", { modelTopology: { node: product, versions } }, { values: weights });
  await graph(
    "branching",
    {
      modelTopology: {
        node: [
          placeholder("flag", { dim: [] }, "DT_BOOL"),
          placeholder("x", shaped(-1, 3)),
          {
            name: "choice",
            op: "StatelessIf",
            input: ["flag", "x"],
            attr: { then_branch: { func: { name: "twice" } }, else_branch: { func: { name: "own" } } },
          },
        ],
        library: {
          function: ["twice", "own"].map((name, i) => ({
            signature: {
              name,
              inputArg: [{ name: "x", type: "DT_FLOAT" }],
              outputArg: [{ name: "out", type: "DT_FLOAT" }],
            },
            nodeDef: [{ name: "y", op: i ? "Negate" : "Neg", input: ["x"], attr: { T: float } }],
            ret: { out: "y:0" },
          })),
        },
        versions,
      },
      signature: {
        inputs: {
          flag: { name: "flag:0", dtype: "DT_BOOL", tensorShape: {} },
          x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: shaped(-1, 3) },
        },
        outputs: { y: { name: "choice:0", dtype: "DT_FLOAT", tensorShape: { unknownRank: true } } },
      },
    },
    { risks: ["custom-op"] },
  );
}

async function tellAll() {
  for (const entry of readdirSync(target).filter((each) => each.endsWith(".tfjs"))) {
    const name = entry.slice(0, -".tfjs".length);
    const { format } = await artifacts(name);
    await (format === "layers-model" ? tellLayers(name) : tellGraph(name));
  }
}

await tf.setBackend("cpu");
await (process.argv[3] === "tell" ? tellAll() : make());
