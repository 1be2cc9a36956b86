"""A stand-in for Tesouro Direto's file of all bonds, and for its shop's quotes of the moment; figures are synthetic."""

from __future__ import annotations

from macro_assets_tests.providers import Asked, World

HEAD = "Tipo Titulo;Data Vencimento;Data Base;Taxa Compra Manha;Taxa Venda Manha;PU Compra Manha;PU Venda Manha"
QUOTES = "Título;Rendimento anual do título;Preço unitário de resgate;Vencimento do Título"
OVER = {"IPCA": "IPCA + ", "Selic": "SELIC + "}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    known = [(s.selector.where, world.figures(s)) for s in world.by_source[asked.source] if s.selector]
    if asked.source == "tesouro_direto_shop":
        quotes = [(w["title"], w["maturity"], list(figures.values())[-1]) for w, figures in known]
        lines = [f"{t};{_over(t)}{v:.2f}%;R$ 1.000,10;{m}" for t, m, v in quotes]
        return 200, "\r\n".join([QUOTES, *lines, ""]).encode()
    lines = [
        f"{w['Tipo Titulo']};{w['Data Vencimento']};{d:%d/%m/%Y};{v:.2f};{v + 0.12:.2f};1000.10;990.20".replace(
            ".", ","
        )
        for w, figures in known
        for d, v in figures.items()
    ]
    return 200, "\r\n".join([HEAD, *lines, ""]).encode("latin-1")


def _over(title: str) -> str:
    return next((text for word, text in OVER.items() if word in title), "")
