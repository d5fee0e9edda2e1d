"""Which of TensorFlow's operators only compute, and which reach beyond the graph.

An allow-list: `tf_operators.txt` holds the operators that TensorFlow 2.21 itself registers, without
those that this module names and without those of its own runtime. A line that ends in `*` is an
operator that calls functions of the graph by name. What is in neither list comes from a library
that has to be loaded first, or from a newer TensorFlow.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from modelshelf.formats.facts import Risk

_READS = "reads files"
_WRITES = "writes files"
_NETWORK = "reaches the network"
_HIDDEN = "runs a program that is packed into a value"

# kind of risk → what it does → the operators that do it
REACHING: dict[str, dict[str, str]] = {
    "file-op": {
        _READS: """ReadFile MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset
            WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader
            TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader RecordInput
            TFRecordDataset TFRecordDatasetV2 TextLineDataset FixedLengthRecordDataset
            FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset
            ExperimentalLMDBDataset SqlDataset ExperimentalSqlDataset LoadDataset
            ListSnapshotChunksDataset SnapshotChunkDataset SnapshotDatasetReader
            SnapshotNestedDatasetReader ImmutableConst LoadAndRemapMatrix GenerateVocabRemapping
            Skipgram DTensorRestoreV2""",
        _WRITES: """WriteFile SaveDataset SaveDatasetV2 DatasetToTFRecord
            ExperimentalDatasetToTFRecord SnapshotDataset SnapshotDatasetV2 CacheDataset
            CacheDatasetV2 DistributedSave DumpTensor CalibrationStatisticsSaver
            CreateSummaryFileWriter CreateSummaryDbWriter SummaryWriter ImportEvent WriteSummary
            WriteAudioSummary WriteGraphSummary WriteHistogramSummary WriteImageSummary
            WriteRawProtoSummary WriteScalarSummary StatsAggregatorSetSummaryWriter
            DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary
            FileSystemSetConfiguration""",
        _NETWORK: """RpcCall RpcClient RpcServer RpcServerRegister RpcServerStart RpcGetValue
            RpcCheckStatus DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3
            DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall""",
        "runs Python": "PyFunc PyFuncStateless EagerPyFunc",
        "ends the process": "Abort",
    },
    "unreadable": {_HIDDEN: "DatasetFromGraph MlirPassthroughOp RemoteFusedGraphExecute"},
    "native-code": {
        "calls a function of a library by its name": "XlaCustomCall XlaCustomCallV2",
        "holds machine code": "TRTEngineOp",
    },
    "custom-op": {
        "holds a StableHLO program that is not looked into": "XlaCallModule",
    },
}

SAVING = {
    "Save": 0, "SaveSlices": 0, "SaveV2": 0, "Restore": 0, "RestoreSlice": 0, "RestoreV2": 0,
    "MergeV2Checkpoints": 1,
}  # fmt: skip
"""Operators of a saver: which of their inputs is the path of the checkpoint."""
TABLES = {"InitializeTableFromTextFile": 1, "InitializeTableFromTextFileV2": 1}
"""Operators that fill a table from a file: which of their inputs is its path."""

# Operators that reach a file only where an attribute says so: attribute, what it may be.
HARMLESS: dict[str, tuple[str, re.Pattern[str]]] = {
    "PrintV2": ("output_stream", re.compile(r"stderr|stdout|log\(\w+\)")),
    "DecodeProtoV2": ("descriptor_source", re.compile(r"(local://)?|bytes://.*", re.DOTALL)),
    "EncodeProto": ("descriptor_source", re.compile(r"(local://)?|bytes://.*", re.DOTALL)),
    "FixedUnigramCandidateSampler": ("vocab_file", re.compile("")),
}

_SUSPECT = re.compile(
    r"File|Path|Read|Writ|Save|Restor|Load|PyFunc|Python|Rpc|Http|Url|Grpc|Socket|Sql|Lmdb|LMDB"
    r"|Record|Dataset|Snapshot|Dump|Debug|Kafka|BigQuery|Bigtable|S3|Gcs|Exec|Shell|Remote"
)
"""What an operator's name says if it is made to reach beyond the graph."""

_PACKAGES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Addons>.*"), "tensorflow-addons"),
    (re.compile(r"IO>.*"), "tensorflow-io"),
    (re.compile(r"SimpleML.*"), "tensorflow-decision-forests"),
    (
        re.compile(
            r"TFText>.*|Sentencepiece\w+|(?:Fast)?WordpieceTokenize\w*|NormalizeUTF8\w*"
            r"|CaseFoldUTF8|RegexSplitWithOffsets|WhitespaceTokenize\w*|FastBertNormalize\w*"
            r"|UnicodeScriptTokenizeWithOffsets|SplitMerge\w+|SentenceFragments\w*"
        ),
        "tensorflow-text",
    ),
)
"""Libraries that are known to bring operators of such names."""


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    text = files(__package__).joinpath("tf_operators.txt").read_text(encoding="utf-8")
    lines = text.split()
    calling = frozenset(line[:-1] for line in lines if line.endswith("*"))
    return frozenset(line.removesuffix("*") for line in lines), calling


@cache
def _reaching() -> dict[str, tuple[str, str]]:
    return {
        name: (kind, deed)
        for kind, deeds in REACHING.items()
        for deed, names in deeds.items()
        for name in names.split()
    }


def computes_only(operator: str) -> bool:
    """Whether the operator is TensorFlow's own and does nothing but compute, whatever its inputs."""
    return operator in _listed()[0] and operator not in HARMLESS


def may_call(operator: str) -> bool:
    """Whether the operator may call functions of the graph that its attributes name."""
    listed, calling = _listed()
    return operator in calling or operator not in listed


def is_foreign(operator: str) -> bool:
    """Whether TensorFlow itself does not know the operator."""
    known = operator in _listed()[0] or operator in _reaching()
    return not known and operator not in SAVING and operator not in TABLES


def risk_of(operator: str, file: str) -> Risk | None:
    """What using the operator means, whatever its inputs; None where it may be harmless."""
    if operator in _reaching():
        kind, deed = _reaching()[operator]
        return Risk(kind, f"{operator}: {deed}", file)
    if is_foreign(operator):
        kind = "file-op" if _SUSPECT.search(operator) else "custom-op"
        return Risk(kind, operator, file)
    return None


def package_of(operator: str) -> str | None:
    """The Python package that is known to bring a foreign operator."""
    return next((name for pattern, name in _PACKAGES if pattern.fullmatch(operator)), None)
