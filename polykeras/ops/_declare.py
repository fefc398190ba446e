"""Declare an op once: signature, docstring, composition, shape rule, derivative.

Which parameters are tensors, and how their dtypes meet, is said by name in the
decorator; each value is a string of parameter names:

- ``common``: all take the dtype that the promotion table gives them together;
- ``inexact``: likewise, and integers become floats;
- ``boolean``: become bool;
- ``integer``: must be integers, and keep their width;
- ``tensor``: become tensors and keep their dtype;
- ``sequence``: a list of tensors, promoted together;
- ``tree``: nested structures of tensors, passed as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from polykeras import tree
from polykeras.backend import Backend, active, set_default_kernels
from polykeras.backend._selection import _block, _choose, _process
from polykeras.errors import PolykerasError
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._promotion import CONVERTERS, promote, with_number
from polykeras.ops._registry import REGISTRY

__all__ = ["Op", "OpFunction", "op", "primitive"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
Rule = TypeVar("Rule", bound=Callable[..., Any])
_EMPTY = inspect.Parameter.empty
_MISSING: Any = object()
_NUMBERS = (float, int)
_current = _block.get
_KINDS = ("common", "inexact", "boolean", "integer", "tensor", "sequence", "tree")


class OpFunction(Protocol[P, R_co]):
    """A public op: call it, or attach rules to it."""

    op: Op
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    def abstract(self, rule: Rule) -> Rule: ...
    def prepare(self, rule: Rule) -> Rule: ...
    def vjp(self, *names: str) -> Callable[[Rule], Rule]: ...
    def joint_vjp(self, *names: str) -> Callable[[Rule], Rule]: ...


class Op:
    """Everything polykeras knows about one op.

    Attributes:
        name: The public name, and the key in kernel tables.
        fn: The composition or eager default; for other primitives only a docstring.
        is_primitive: Whether a backend must supply a kernel.
        differentiable: Whether derivatives flow through.
        elementwise: Whether inputs broadcast, so gradients are summed back.
        abstract_rule: Canonical arguments as specs in, specs out.
        prepare_rule: Makes axes, strides and dtypes explicit and checks them.
        vjp_rules: Position of an argument to the rule of its gradient.
        joint_vjp: Positions, and one rule that gives all their gradients at once.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        is_primitive: bool,
        has_default: bool,
        differentiable: bool,
        elementwise: bool,
        kinds: dict[str, str],
    ) -> None:
        """Read the signature of `fn` and the parameters' kinds."""
        self.name = fn.__name__
        self.fn = fn
        self.is_primitive = is_primitive
        self.has_default = has_default
        self.differentiable = differentiable
        self.elementwise = elementwise
        self.abstract_rule: Callable[..., Any] | None = None
        self.prepare_rule: Callable[..., Any] | None = None
        self.vjp_rules: dict[int, Callable[..., Any]] = {}
        self.joint_vjp: tuple[tuple[int, ...], Callable[..., Any]] | None = None
        self.signature = inspect.signature(fn)
        parameters = list(self.signature.parameters.values())
        self.parameters = parameters
        self.names = [p.name for p in parameters]
        self.defaults = [p.default for p in parameters]
        self._index = {name: i for i, name in enumerate(self.names)}
        # So many arguments by position leave none out that has no default.
        self._needed = 1 + max(
            (i for i, default in enumerate(self.defaults) if default is _EMPTY),
            default=-1,
        )
        self.variadic = next(
            (i for i, p in enumerate(parameters) if p.kind is p.VAR_POSITIONAL), None
        )
        self.positions = {
            kind: tuple(self.names.index(name) for name in names.split())
            for kind, names in kinds.items()
            if names
        }
        self._kinds = tuple(self.positions.items())
        self.single = sorted(
            i
            for kind, positions in self.positions.items()
            if kind not in ("sequence", "tree")
            for i in positions
        )
        self.plain = False
        self.nested = self.positions.get("sequence", ()) + self.positions.get(
            "tree", ()
        )

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    # -- calling ---------------------------------------------------------------

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return all arguments by position, defaults filled in.

        Raises:
            TypeError: As Python does for arguments that do not fit.
        """
        if self.variadic is None and len(args) <= len(self.names):
            # What inspect does, at a tenth of its cost; it words the errors below.
            bound = [*args, *self.defaults[len(args) :]]
            for name, value in kwargs.items():
                i = self._index.get(name, -1)
                if i < len(args):
                    break
                bound[i] = value
            else:
                if len(args) >= self._needed or all(x is not _EMPTY for x in bound):
                    return bound
        try:
            complete = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}() {error}") from None
        complete.apply_defaults()
        return [complete.arguments[name] for name in self.names]

    def body(self, args: list[Any]) -> Any:
        """Run the composition on arguments by position."""
        if self.variadic is None:
            return self.fn(*args)
        i = self.variadic
        named = dict(zip(self.names[i + 1 :], args[i + 1 :], strict=True))
        return self.fn(*args[:i], *args[i], **named)

    def run(self, engine: Backend, args: list[Any], *, canonical: bool = False) -> Any:
        """Evaluate the op on `engine`, or hand it to a traced argument.

        Args:
            engine: The active backend.
            args: One value a parameter.
            canonical: Whether `args` went through `canonical` already.
        """
        tracer = self._unwrap(args)
        if tracer is not None:
            return tracer.interpret(self, engine, args)
        kernel = engine.kernels[self.name]
        if kernel is self.fn:
            try:
                return self.body(args)
            except PolykerasError:
                self.refuse(engine, args)
                raise
        if not canonical:
            args = self.canonical(engine, args)
        try:
            return kernel(*args)
        except PolykerasError:
            raise
        except Exception as error:
            raise self.explain(engine, args, error) from error

    def _unwrap(self, args: list[Any]) -> Traced | None:
        tracer: Traced | None = None
        for i in self.single:
            if isinstance(args[i], Operand):
                value = args[i] = args[i].operand()
                if isinstance(value, Traced) and (
                    tracer is None or value.level > tracer.level
                ):
                    tracer = value
        for i in self.nested:
            leaves, structure = tree.flatten_leaves(args[i])
            if any(isinstance(leaf, Operand) for leaf in leaves):
                leaves = [x.operand() if isinstance(x, Operand) else x for x in leaves]
                args[i] = tree.unflatten_leaves(structure, leaves)
                for leaf in leaves:
                    if isinstance(leaf, Traced) and (
                        tracer is None or leaf.level > tracer.level
                    ):
                        tracer = leaf
        return tracer

    # -- canonical arguments ---------------------------------------------------

    def canonical(self, engine: Backend, args: list[Any]) -> list[Any]:
        """Convert tensors, apply the promotion table, run the ``prepare`` rule."""
        for kind, positions in self._kinds:
            if kind == "common":
                promote(engine, args, positions, inexact=False)
            elif kind == "inexact":
                promote(engine, args, positions, inexact=True)
            elif kind == "sequence":
                for i in positions:
                    items = list(args[i])
                    promote(engine, items, range(len(items)), inexact=False)
                    args[i] = items
            elif kind != "tree":
                convert = CONVERTERS[kind]
                for i in positions:
                    if args[i] is not None:
                        args[i] = convert(self.name, engine, args[i])
        if self.prepare_rule is not None:
            args = list(self.prepare_rule(*args))
        return args

    def refuse(self, engine: Backend, args: list[Any]) -> None:
        """Raise what the op's own rules say against arguments its composition refused.

        An error of an op inside would name that op, which the caller did not call.
        """
        if engine.kernels[self.name] is not self.fn:
            return
        if self.prepare_rule is not None or self.abstract_rule is not None:
            from polykeras.ops._abstract import evaluate, spec_of

            args = self.canonical(engine, list(args))
            evaluate(self, tree.map_leaves(lambda x: spec_of(x, engine), args))

    def explain(self, engine: Backend, args: list[Any], error: Exception) -> Exception:
        """Return the error to raise for a kernel that failed.

        The abstract rule states what fits, so it is asked first: its message is
        the same on every backend. What it cannot explain keeps the library's
        error, with the op, shapes, dtypes and backend added.
        """
        from polykeras.ops._abstract import evaluate, spec_of

        specs = tree.map_leaves(lambda x: spec_of(x, engine), args)
        try:
            evaluate(self, specs)
        except PolykerasError as known:
            return known
        shown = ", ".join(str(s) for s in tree.flatten_leaves(specs)[0])
        error.add_note(f"In polykeras.ops.{self.name}({shown}) on {engine.name!r}.")
        return error


# -- the callables that users see ------------------------------------------------


def _general(op: Op) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return op.run(active(), op.bind(args, kwargs))

    return call


def _unary(op: Op) -> Callable[..., Any]:
    name = op.name
    only_inexact = "inexact" in op.positions

    def call(x: Any = _MISSING) -> Any:
        engine = _current() or _process[0] or _choose()
        if type(x) is engine.tensor_type and (
            not only_inexact or x.dtype in engine.inexact
        ):
            try:
                return engine.kernels[name](x)
            except PolykerasError:
                op.refuse(engine, [x])
                raise
            except Exception as error:
                raise op.explain(engine, [x], error) from error
        if x is _MISSING:
            return op.run(engine, op.bind((), {}))
        return op.run(engine, [x])

    return call


def _binary(op: Op) -> Callable[..., Any]:
    name = op.name
    only_inexact = "inexact" in op.positions

    def call(x1: Any = _MISSING, x2: Any = _MISSING) -> Any:
        engine = _current() or _process[0] or _choose()
        if type(x1) is type(x2) is engine.tensor_type:
            dtype = x1.dtype
            fits = dtype is x2.dtype and (not only_inexact or dtype in engine.inexact)
        else:
            fits = False
            if type(x1) in _NUMBERS or type(x2) in _NUMBERS:
                # A composition may look at the number.
                composed = engine.kernels[name] is op.fn
                pair = None if composed else with_number(engine, x1, x2)
                if pair is not None:
                    (x1, x2), fits = pair, True
        if fits:
            try:
                return engine.kernels[name](x1, x2)
            except PolykerasError:
                op.refuse(engine, [x1, x2])
                raise
            except Exception as error:
                raise op.explain(engine, [x1, x2], error) from error
        if x2 is _MISSING or x1 is _MISSING:
            return op.run(engine, _complete(op, (x1, x2)))
        return op.run(engine, [x1, x2])

    return call


def _complete(op: Op, given: tuple[Any, ...]) -> list[Any]:
    """Return the arguments with defaults, or raise as Python does."""
    pairs = zip(op.names, given, strict=True)
    return op.bind((), {k: v for k, v in pairs if v is not _MISSING})


def _named(op: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    """Let `call` take other names than ``x``, or ``x1`` and ``x2``.

    A function that accepts any keyword makes a dict at every call, so most ops do
    without.
    """

    def general(*args: Any, **kwargs: Any) -> Any:
        return call(*args) if not kwargs else op.run(active(), op.bind(args, kwargs))

    return general


def _callable(op: Op) -> Callable[..., Any]:
    same_kind = len(op.positions) == 1 and (
        "common" in op.positions or "inexact" in op.positions
    )
    op.plain = same_kind and len(op.single) == len(op.names) <= 2
    if not op.plain:
        return _general(op)
    call = _unary(op) if len(op.names) == 1 else _binary(op)
    return call if op.names in (["x"], ["x1", "x2"]) else _named(op, call)


class _Declaration(Generic[P, R_co]):
    """Collects what a decorator says and makes the public function."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __call__(self, fn: Callable[P, R_co]) -> OpFunction[P, R_co]:
        op = Op(fn, **self.options)
        if op.name in REGISTRY:
            raise ValueError(f"The op {op.name!r} is declared twice.")
        call = cast("Any", _callable(op))
        call.__name__ = fn.__name__
        call.__qualname__ = fn.__qualname__
        call.__module__ = fn.__module__
        call.__doc__ = fn.__doc__
        call.__wrapped__ = fn
        call.op = op

        def abstract(rule: Rule) -> Rule:
            op.abstract_rule = rule
            return rule

        def prepare(rule: Rule) -> Rule:
            if op.plain:
                raise ValueError(
                    f"{op.name}: unary and binary ops skip ``prepare`` on the fast "
                    "path; give it a parameter that is no tensor, or do without."
                )
            op.prepare_rule = rule
            return rule

        def vjp(*names: str) -> Callable[[Rule], Rule]:
            def attach(rule: Rule) -> Rule:
                for name in names or op.names[:1]:
                    op.vjp_rules[op.names.index(name)] = rule
                return rule

            return attach

        def joint_vjp(*names: str) -> Callable[[Rule], Rule]:
            def attach(rule: Rule) -> Rule:
                op.joint_vjp = (tuple(op.names.index(name) for name in names), rule)
                for k, position in enumerate(op.joint_vjp[0]):
                    op.vjp_rules[position] = _part(rule, k)
                return rule

            return attach

        call.abstract, call.prepare = abstract, prepare
        call.vjp, call.joint_vjp = vjp, joint_vjp
        REGISTRY[op.name] = call
        return cast("OpFunction[P, R_co]", call)


def _part(rule: Callable[..., Any], k: int) -> Callable[..., Any]:
    def part(g: Any, out: Any, *args: Any) -> Any:
        return rule(g, out, *args)[k]

    return part


def _options(primitive: bool, settings: dict[str, Any]) -> dict[str, Any]:
    kinds = {kind: settings.pop(kind, "") for kind in _KINDS}
    return {
        "is_primitive": primitive,
        "has_default": settings.pop("has_default", not primitive),
        "differentiable": settings.pop("differentiable", True),
        "elementwise": settings.pop("elementwise", False),
        "kinds": kinds,
        **settings,
    }


@overload
def primitive(fn: Callable[P, R_co], /) -> OpFunction[P, R_co]: ...
@overload
def primitive(
    *,
    has_default: bool = ...,
    differentiable: bool = ...,
    elementwise: bool = ...,
    common: str = ...,
    inexact: str = ...,
    boolean: str = ...,
    integer: str = ...,
    tensor: str = ...,
    sequence: str = ...,
    tree: str = ...,
) -> Callable[[Callable[P, R_co]], OpFunction[P, R_co]]: ...
def primitive(fn: Any = None, /, **settings: Any) -> Any:
    """Declare an op that every backend supplies a kernel for.

    Args:
        fn: A function whose body is its docstring, or, with ``has_default``, what
            eager libraries run.
        settings: The kinds of the parameters (module docstring);
            ``elementwise`` if tensors broadcast; ``differentiable``.
    """
    declare: _Declaration[Any, Any] = _Declaration(_options(True, settings))
    return declare if fn is None else declare(fn)


@overload
def op(fn: Callable[P, R_co], /) -> OpFunction[P, R_co]: ...
@overload
def op(
    *,
    differentiable: bool = ...,
    elementwise: bool = ...,
    common: str = ...,
    inexact: str = ...,
    boolean: str = ...,
    integer: str = ...,
    tensor: str = ...,
    sequence: str = ...,
    tree: str = ...,
) -> Callable[[Callable[P, R_co]], OpFunction[P, R_co]]: ...
def op(fn: Any = None, /, **settings: Any) -> Any:
    """Declare an op as a composition of other ops.

    Args:
        fn: The composition; backends may replace it by a kernel.
        settings: As for `primitive`.
    """
    declare: _Declaration[Any, Any] = _Declaration(_options(False, settings))
    return declare if fn is None else declare(fn)


def _default_kernel(name: str) -> Callable[..., Any] | None:
    declared = REGISTRY.get(name)
    if declared is None:
        return None
    operation = cast("Any", declared).op
    return operation.fn if operation.has_default else None


set_default_kernels(_default_kernel)
